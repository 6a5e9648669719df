using Mesh.Core.Names;
using Mesh.Grains.Events;
using Mesh.Grains.Ingresses;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing.Certificates;
using Xunit;

namespace Mesh.Grains.Tests.Ingresses;

/// <summary>How much is said of an Ingress with many hosts.</summary>
public sealed class TlsReviewTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TestAuthority _authority = new();
    private readonly StillCache _cache = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    [Trait("Row", "ING-T07")]
    [Trait("Row", "ING-M03")]
    public void Of_many_hosts_there_is_one_sentence_for_each_Secret_and_one_for_each_older_Ingress()
    {
        string[] hosts = [.. Enumerable.Range(0, 500).Select(index => $"h{index}.test")];
        _cache.Put(Kinds.Secret(NamespacedName.Of("default", "t")), 1, _authority.Issue("covered.test").Secret("default", "t"));
        _cache.Put(Kinds.Ingress(NamespacedName.Of("default", "old")), 2, Ingress("old", "other", hosts));
        _cache.Put(Kinds.Ingress(NamespacedName.Of("default", "older")), 3, Ingress("older", "other", hosts[7]));
        var own = _cache.Put(Kinds.Ingress(NamespacedName.Of("default", "own")), 4, Ingress("own", "t", hosts));

        Assert.Equal(
            [
                new Finding("HostNotCovered", "the certificate in Secret default/t is not for h0.test, h1.test, h2.test and 497 more: clients that check it refuse it"),
                new Finding("CertificateConflict", "host h0.test, host h1.test, host h2.test and 497 more: the older Ingress default/old names another Secret, or none, and wins"),
                new Finding("CertificateConflict", "host h7.test: the older Ingress default/older names another Secret, or none, and wins"),
            ],
            TlsReview.Of(IngressDocument.TryParse(own)!, _cache, Now));
    }

    [Fact]
    [Trait("Row", "ING-M03")]
    public void Of_many_paths_there_is_one_sentence_for_each_older_Ingress_with_room_for_it_in_an_Event()
    {
        string[] paths = [.. Enumerable.Range(0, 200).Select(index => $"/{new string('p', 400)}{index}")];
        _cache.Put(Kinds.Ingress(NamespacedName.Of("default", "old")), 2, Paths("old", "web", paths));
        var own = _cache.Put(Kinds.Ingress(NamespacedName.Of("default", "own")), 4, Paths("own", "web", [.. paths, "/free"]));

        var found = IngressReview.Of(IngressDocument.TryParse(own)!, _cache, Now);
        Assert.Equal(["ServiceNotFound", "PathConflict"], found.Select(finding => finding.Reason));
        Assert.EndsWith(" and 197 more: the older Ingress default/old claims the same, and wins", found[1].Message, StringComparison.Ordinal);
        Assert.StartsWith("path /ppp", found[1].Message, StringComparison.Ordinal);
        Assert.True(found[1].Message.Length < 1024);
    }

    [Fact]
    public void Of_many_problems_twenty_are_told_and_the_last_says_how_many_there_are()
    {
        var own = _cache.Put(Kinds.Ingress(NamespacedName.Of("default", "own")), 4, Paths("own", null, [.. Enumerable.Range(0, 100).Select(index => $"/{index}")]));
        var found = IngressReview.Of(IngressDocument.TryParse(own)!, _cache, Now);
        Assert.Equal(IngressReview.Most, found.Count);
        Assert.Equal(new Finding("MoreProblems", "81 more problems of this Ingress are not told; they show when these are solved"), found[^1]);
    }

    [Fact]
    public void A_version_of_an_Ingress_is_read_once()
    {
        var stored = _cache.Put(Kinds.Ingress(NamespacedName.Of("default", "own")), 4, Ingress("own", "t", "a.test"));
        Assert.NotNull(IngressDocument.TryParse(stored));
        Assert.Same(IngressDocument.TryParse(stored), IngressDocument.TryParse(stored));
        Assert.Null(IngressDocument.TryParse(stored with { Document = "{}"u8.ToArray() }));
    }

    private static string Ingress(string name, string secret, params string[] hosts) => $$$"""
        {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"{{{name}}}","namespace":"default","uid":"{{{name}}}"},
        "spec":{"tls":[{"hosts":[{{{string.Join(',', hosts.Select(host => $"\"{host}\""))}}}],"secretName":"{{{secret}}}"}],"rules":[{"host":"{{{hosts[0]}}}"}]} }
        """;

    /// <param name="service">Null: another for each path.</param>
    private static string Paths(string name, string? service, string[] paths) => $$$"""
        {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"{{{name}}}","namespace":"default","uid":"{{{name}}}"},
        "spec":{"rules":[{"host":"a.test","http":{"paths":[{{{string.Join(',', paths.Select((path, index) => Path(path, service ?? $"s{index}")))}}}]} }]} }
        """;

    private static string Path(string path, string service) =>
        $$$"""{"path":"{{{path}}}","pathType":"Exact","backend":{"service":{"name":"{{{service}}}","port":{"number":80} } } }""";
}
