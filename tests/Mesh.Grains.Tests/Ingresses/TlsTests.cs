using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing.Certificates;
using Xunit;

namespace Mesh.Grains.Tests.Ingresses;

/// <summary>From a Secret in the store to the snapshot of a node, and to the Events of the Ingress that names it.</summary>
[Collection(ClusterGroup.Name)]
public sealed class TlsTests(SharedCluster shared) : IDisposable
{
    private readonly TestAuthority _authority = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    public void Dispose() => _authority.Dispose();

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-T04")]
    [Trait("Row", "ING-T05")]
    [Trait("Row", "ING-T06")]
    public async Task A_node_shows_what_the_Secret_holds_as_it_comes_changes_breaks_and_is_mended()
    {
        var ns = await Cluster.NamespaceAsync();
        var host = $"{ns}.test";
        var node = new TestNode("tls-" + ns);
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await node.UntilAsync(snapshot => Shown(snapshot, host) == "default", Stop);
        await IngressAsync(ns, "shop", host, "t");
        await UntilEventAsync(ns, "SecretNotFound", $"Secret {ns}/t does not exist; host {host}: clients are shown the default certificate");

        var (one, two) = (_authority.Issue(host), _authority.Issue(host));
        await PutAsync(ns, "other", one); // nobody names it
        await PutAsync(ns, "t", one);
        await node.UntilAsync(snapshot => Shown(snapshot, host) == one.Chain + one.Key, Stop);
        await PutAsync(ns, "t", two);
        await node.UntilAsync(snapshot => Shown(snapshot, host) == two.Chain + two.Key, Stop);
        await PutAsync(ns, "t", two with { Key = one.Key });
        await node.UntilAsync(snapshot => Shown(snapshot, host) == "default", Stop);
        await UntilEventAsync(ns, "CertificateNotUsable", $"Secret {ns}/t has in tls.key another key than that of the first certificate in tls.crt, which must be the host's own; host {host}: clients are shown the default certificate");
        await PutAsync(ns, "t", two);
        await node.UntilAsync(snapshot => Shown(snapshot, host) == two.Chain + two.Key, Stop);
        await Cluster.DeleteAsync(Kinds.Secret(NamespacedName.Of(ns, "t")));
        await node.UntilAsync(snapshot => Shown(snapshot, host) == "default", Stop);
        Assert.DoesNotContain(node.Told.OfType<RoutingChange.Certificate>(), told => told.Object.Name.Name == "other");
        link.End();
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-T07")]
    [Trait("Row", "ING-M03")]
    public async Task An_Ingress_says_which_host_is_not_covered_which_certificate_has_ended_and_which_loses_to_an_older_one()
    {
        var ns = await Cluster.NamespaceAsync();
        await PutAsync(ns, "t", _authority.Issue([$"a.{ns}.test"], new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2020, 2, 1, 0, 0, 0, TimeSpan.Zero)));
        await PutAsync(ns, "u", _authority.Issue($"b.{ns}.test"));
        await IngressAsync(ns, "old", $"b.{ns}.test", "t");
        await IngressAsync(ns, "young", $"b.{ns}.test", "u");

        await UntilEventAsync(ns, "HostNotCovered", $"the certificate in Secret {ns}/t is not for b.{ns}.test: clients that check it refuse it");
        await UntilEventAsync(ns, "CertificateNotValid", $"the certificate in Secret {ns}/t is valid from 2020-01-01T00:00:00Z to 2020-02-01T00:00:00Z: clients that check it refuse it");
        await UntilEventAsync(ns, "CertificateConflict", $"host b.{ns}.test: the older Ingress {ns}/old names another Secret, or none, and wins");
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-T08")]
    public async Task A_renewed_default_certificate_is_told_while_the_link_lives()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var cluster = await MeshTestCluster.StartAsync(1, time);
        var node = new TestNode("tls-renewed");
        using var link = await cluster.LinkAsync(node, cluster.Silos[0]);
        var told = node.UntilAsync(snapshot => Shown(snapshot, "") == "default", Stop);
        await told;
        link.DefaultCertificate = "renewed"u8.ToArray();
        var renewed = node.UntilAsync(snapshot => Shown(snapshot, "") == "renewed", Stop);
        while (!renewed.IsCompleted)
        {
            time.Advance(TimeSpan.FromHours(1));
            await Task.Yield();
        }

        await renewed;
        link.End();
    }

    private static string? Shown(RoutingSnapshot snapshot, string name) =>
        snapshot.Tls.Find(name) is { } certificate ? Encoding.ASCII.GetString(certificate.Pem.Span) : null;

    private async Task PutAsync(string ns, string name, TestCertificate pair) => await Cluster.PutAsync(Kinds.Secret(NamespacedName.Of(ns, name)), pair.Secret(ns, name));

    private async Task IngressAsync(string ns, string name, string host, string secret)
    {
        var reply = await Cluster.Client.GetGrain<IIngressGrain>($"{ns}/{name}").Write(
            Some.Create($$$"""
                {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"{{{name}}}","namespace":"{{{ns}}}"},
                "spec":{"tls":[{"hosts":["{{{host}}}"],"secretName":"{{{secret}}}"}],"rules":[{"host":"{{{host}}}"}] } }
                """),
            Stop);
        Assert.Equal(ObjectResult.Committed, reply.Result);
    }

    private async Task UntilEventAsync(string ns, string reason, string message)
    {
        var cache = Cluster.Cache();
        using var watch = cache.Watch(key => key.Kind == "Event" && key.Namespace == ns, cache.Version);
        while (!cache.List("", "Event", ns).Items.Select(stored => JsonNode.Parse(stored.Document.Span)!)
            .Any(told => (string?)told["reason"] == reason && (string?)told["message"] == message && (string?)told["type"] == "Warning"))
        {
            await watch.NextAsync(Stop);
        }
    }
}
