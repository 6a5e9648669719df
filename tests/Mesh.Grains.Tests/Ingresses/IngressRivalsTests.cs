using CsCheck;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Grains.Events;
using Mesh.Grains.Ingresses;
using Mesh.Grains.Keeping;
using Mesh.Grains.Nodes;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Ingresses;

/// <summary>An Ingress is compared with the few that want what it wants, and finds what a comparison with all would.</summary>
public sealed class IngressRivalsTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly StillCache _cache = new();

    private static Gen<Wanted[]> All { get; } =
        (from paths in Gen.Select(Gen.OneOf("", "a.test", "b.test"), Gen.OneOf("/", "/x"), Gen.OneOf("Exact", "Prefix")).Array[1, 3]
         from secret in Gen.OneOf<string?>(null, "s", "t")
         from tlsHost in Gen.OneOf("", "a.test", "b.test")
         from ingressClass in Gen.OneOf("mesh", "mesh", "other")
         select new Wanted(paths, secret, tlsHost, ingressClass)).Array[2, 5];

    [Fact]
    [Trait("Row", "ING-M03")]
    [Trait("Row", "CP-D4")]
    public void A_review_finds_what_a_comparison_with_every_Ingress_finds_and_lists_none()
    {
        var (paths, names) = (0, 0);
        All.Sample(
            wanted =>
            {
                var ingresses = wanted.Select((each, index) => IngressDocument.TryParse(Put($"i{index}", index + 1, each))!).ToArray();
                foreach (var ingress in ingresses)
                {
                    var found = IngressReview.Of(ingress, _cache, Now);
                    string[] rivals = [.. found.Where(finding => finding.Reason == "PathConflict").Select(RivalOf).Order()];
                    string[] others = [.. found.Where(finding => finding.Reason == "CertificateConflict").Select(RivalOf).Order()];
                    Assert.Equal([.. Older(ingress, ingresses).Where(older => Claims(older).Intersect(Claims(ingress)).Any()).Select(NameOf)], rivals);
                    Assert.Equal([.. Older(ingress, ingresses).Where(older => Differ(ingress, older)).Select(NameOf)], others);
                    (paths, names) = (paths + rivals.Length, names + others.Length);
                }

                for (var i = 0; i < ingresses.Length; i++)
                {
                    _cache.Remove(Kinds.Ingress(NamespacedName.Of("default", $"i{i}")));
                }
            },
            iter: 300,
            threads: 1);
        Assert.True(paths > 50 && names > 50, $"{paths}, {names}"); // there are conflicts to be found
        Assert.Equal(0, _cache.Lists);
    }

    [Fact]
    public void A_change_wakes_the_Ingresses_that_want_the_same_and_none_that_only_share_the_host()
    {
        Put("same", 1, new Wanted([("a.test", "/", "Exact")], null, "", "mesh"));
        Put("beside", 2, new Wanted([("a.test", "/beside", "Exact")], null, "", "mesh"));
        Put("prefix", 3, new Wanted([("a.test", "/", "Prefix")], null, "", "mesh"));
        var before = Put("changed", 4, new Wanted([("a.test", "/", "Exact")], null, "", "mesh"));
        var after = Put("changed", 5, new Wanted([("b.test", "/", "Exact")], null, "", "mesh"));

        var woken = Dependents.Of(new StoreChange(StoreChangeType.Modified, after, before), _cache, new UnsettledPods(_cache, new KnownNodes(_cache))).Select(grain => grain.Key).Distinct();

        Assert.Equal(["default/changed", "default/same"], woken.Order());
        Assert.Equal(0, _cache.Lists);
    }

    [Fact]
    public void A_Service_a_Secret_and_a_class_wake_the_Ingresses_that_name_them()
    {
        Put("one", 1, new Wanted([("a.test", "/", "Exact")], "s", "", "mesh"));
        Put("two", 2, new Wanted([("b.test", "/", "Exact")], "t", "", "other"));

        Assert.Equal(["default/one", "default/two"], Woken("", "Service", "default", "web"));
        Assert.Equal(["default/one"], Woken("", "Secret", "default", "s"));
        Assert.Equal(["default/two"], Woken(Kinds.NetworkingGroup, "IngressClass", "", "other"));
        Assert.Empty(Woken("", "Secret", "elsewhere", "s"));
        Assert.Equal(0, _cache.Lists);

        string[] Woken(string group, string kind, string ns, string name) =>
        [
            .. Dependents.Of(new StoreChange(StoreChangeType.Added, new StoredObject(new ObjectKey(group, kind, ns, name), "u", 9, 9, false, "{}"u8.ToArray()), null), _cache, new UnsettledPods(_cache, new KnownNodes(_cache)))
                .Where(grain => grain.Kind == KeptKind.Ingress).Select(grain => grain.Key).Order(),
        ];
    }

    private static IEnumerable<Ingress> Older(Ingress ingress, Ingress[] all) =>
        all.Where(other => other.CreatedVersion < ingress.CreatedVersion && other.ClassName == "mesh" && ingress.ClassName == "mesh").OrderBy(other => other.Name);

    private static IEnumerable<(string, string, bool)> Claims(Ingress ingress) =>
        ingress.Rules.SelectMany(rule => rule.Paths.Select(path => (rule.Host, path.Path, path.Type == PathType.Exact)));

    private static bool Differ(Ingress one, Ingress other) =>
        TlsNames.Of(one).Any(name => TlsNames.Of(other).Any(second => second.Host == name.Host && second.Secret != name.Secret));

    private static string NameOf(Ingress ingress) => ingress.Name.Name;

    private static string RivalOf(Finding finding)
    {
        const string Mark = "older Ingress default/";
        var from = finding.Message.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length;
        return finding.Message[from..finding.Message.IndexOfAny([',', ' '], from)];
    }

    private StoredObject Put(string name, long version, Wanted wanted)
    {
        var tls = wanted.Secret is null ? "" : $$$""" "tls":[{"secretName":"{{{wanted.Secret}}}","hosts":[{{{(wanted.TlsHost.Length == 0 ? "" : $"\"{wanted.TlsHost}\"")}}}]}], """;
        var rules = wanted.Paths.Select(path => $$$$"""
            {"host":"{{{{path.Host}}}}","http":{"paths":[{"path":"{{{{path.Path}}}}","pathType":"{{{{path.Type}}}}","backend":{"service":{"name":"web","port":{"number":80} } } }]} }
            """);
        return _cache.Put(Kinds.Ingress(NamespacedName.Of("default", name)), version, $$$"""
            {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"{{{name}}}","namespace":"default","uid":"{{{name}}}"},
            "spec":{"ingressClassName":"{{{wanted.Class}}}",{{{tls}}}"rules":[{{{string.Join(',', rules)}}}]} }
            """);
    }

    private sealed record Wanted((string Host, string Path, string Type)[] Paths, string? Secret, string TlsHost, string Class);
}
