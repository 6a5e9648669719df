using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Events;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Keeping;

[Collection(ClusterGroup.Name)]
public class KeeperTests(SharedCluster shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 60_000)]
    public async Task A_namespace_that_is_deleted_takes_its_contents_with_it()
    {
        var ns = await Cluster.NamespaceAsync();
        var key = Kinds.Namespace(ns);
        var pod = new ReportedPod(Cluster, NamespacedName.Of(ns, "web"), Stop);
        await pod.ReportAsync(pod.Alive("u1", 1));
        var map = new ObjectKey("", "ConfigMap", ns, "settings");
        await Cluster.PutAsync(map, $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"{{{ns}}}","uid":"uid-map"}}""");
        await Cluster.PutAsync(key, $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{ns}}}","uid":"uid-{{{ns}}}","deletionTimestamp":"2026-01-01T00:00:00Z"},"status":{"phase":"Terminating"}}""");
        await UntilAsync(pod.Key, stored => stored is null or { IsDeleting: true });
        await UntilAsync(map, stored => stored is null);
        Assert.NotNull(Cluster.Cache().Get(key)); // the registered Pod is drained by its node first
        await pod.ReportAsync(pod.End("u1", 2));
        await UntilAsync(key, stored => stored is null);
        Assert.Null(Cluster.Cache().Get(pod.Key));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_deleted_object_owned_goes_with_it()
    {
        var ns = await Cluster.NamespaceAsync();
        var owner = new ObjectKey("", "ConfigMap", ns, "owner");
        var owned = new ObjectKey("", "Secret", ns, "owned");
        var kept = new ObjectKey("", "Secret", ns, "kept");
        await Cluster.PutAsync(owner, $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"owner","namespace":"{{{ns}}}","uid":"uid-owner"}}""");
        await Cluster.PutAsync(owned, Secret(ns, "owned", """,{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"uid-owner"}"""));
        await Cluster.PutAsync(kept, Secret(ns, "kept", ""));
        await Cluster.DeleteAsync(owner);
        await UntilAsync(owned, stored => stored is null);
        Assert.NotNull(Cluster.Cache().Get(kept));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_Event_that_repeats_is_counted_in_one_object()
    {
        var ns = await Cluster.NamespaceAsync();
        var about = await Cluster.PutAsync(
            new ObjectKey("", "ConfigMap", ns, "subject"),
            $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"subject","namespace":"{{{ns}}}","uid":"uid-subject"}}""");
        var recorder = MeshTestCluster.Service<EventRecorder>(Cluster.Silos[0]);
        recorder.Record(about, isWarning: true, "PortTaken", "another process listens there");
        await UntilEventAsync(ns, 1);
        recorder.Record(about, isWarning: true, "PortTaken", "another process listens there");
        var text = await UntilEventAsync(ns, 2);
        Assert.Contains("\"PortTaken\"", text, StringComparison.Ordinal);
        Assert.Single(Cluster.Cache().List("", "Event", ns).Items);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_Ingress_whose_Service_is_missing_gets_an_Event_that_says_so()
    {
        var ns = await Cluster.NamespaceAsync();
        var document = """{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"shop","namespace":"NS"},"spec":{"rules":[{"host":"shop.example.com","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"missing","port":{"number":80}}}}]}}]}}"""
            .Replace("NS", ns, StringComparison.Ordinal);
        var reply = await Cluster.Client.GetGrain<IIngressGrain>($"{ns}/shop")
            .Write(new ObjectRequest(ObjectVerb.Create, Encoding.UTF8.GetBytes(document), 0, "", false), Stop);
        Assert.Equal(ObjectResult.Committed, reply.Result);
        var text = await UntilEventAsync(ns, 1); // the Keeper follows the log and calls the grain
        Assert.Contains($"Service {ns}/missing does not exist", text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_Ingress_says_which_port_is_missing_and_which_older_Ingress_wins()
    {
        var ns = await Cluster.NamespaceAsync();
        var service = NamespacedName.Of(ns, "shop");
        await Cluster.Client.GetGrain<IServiceGrain>(service.ToString()).Write(Some.Create(Some.Service(service)), Stop);
        await IngressAsync(ns, "older", 80);
        await IngressAsync(ns, "younger", 81);
        Assert.Contains($"Service {ns}/shop has no port 81", await UntilEventAsync(ns, "ServicePortNotFound"), StringComparison.Ordinal);
        var conflict = await UntilEventAsync(ns, "PathConflict");
        Assert.Contains($": the older Ingress {ns}/older claims the same, and wins", conflict, StringComparison.Ordinal);
        Assert.Contains("\"name\":\"younger\"", conflict, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_Ingress_shows_the_addresses_of_the_nodes_that_serve_it()
    {
        var ns = await Cluster.NamespaceAsync();
        await IngressAsync(ns, "shop", 80);
        await Cluster.Client.GetGrain<INodeGrain>("ing-node").Open(
            new NodeSession("g", 1, 1, "192.0.2.7", "test"), new NodeFacts("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30), Stop);
        await UntilAsync(Kinds.Ingress(NamespacedName.Of(ns, "shop")), stored => IsShown(stored, "192.0.2.7"));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_Ingress_whose_protection_is_not_enforced_says_so_and_shows_no_address_until_it_is_routed()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.GetGrain<INodeGrain>("ing-node").Open(
            new NodeSession("g", 1, 1, "192.0.2.7", "test"), new NodeFacts("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30), Stop);
        await IngressAsync(ns, "shop", 80);
        await UntilAsync(Kinds.Ingress(NamespacedName.Of(ns, "shop")), stored => IsShown(stored, "192.0.2.7"));

        await IngressAsync(ns, "shop", 80, "\"nginx.ingress.kubernetes.io/auth-type\":\"basic\"");
        var told = await UntilEventAsync(ns, "AccessNotEnforced");
        Assert.Contains("nginx.ingress.kubernetes.io/auth-type asks that not everybody be let in", told, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"Warning\"", told, StringComparison.Ordinal);
        await UntilAsync(Kinds.Ingress(NamespacedName.Of(ns, "shop")), stored => !IsShown(stored, "192.0.2.7"));

        await IngressAsync(ns, "shop", 80, "\"nginx.ingress.kubernetes.io/auth-type\":\"basic\",\"mesh.internal/route-unprotected\":\"true\"");
        await UntilAsync(Kinds.Ingress(NamespacedName.Of(ns, "shop")), stored => IsShown(stored, "192.0.2.7"));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-K07")]
    public async Task An_Ingress_of_another_class_says_so_and_shows_an_address_once_its_class_is_Meshs()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.GetGrain<INodeGrain>("ing-node").Open(
            new NodeSession("g", 1, 1, "192.0.2.7", "test"), new NodeFacts("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30), Stop);
        await IngressAsync(ns, "shop", 80, $"\"kubernetes.io/ingress.class\":\"{ns}\"");
        Assert.Contains($"it is of class {ns}", await UntilEventAsync(ns, "OtherClass"), StringComparison.Ordinal);
        Assert.False(IsShown(Cluster.Cache().Get(Kinds.Ingress(NamespacedName.Of(ns, "shop"))), "192.0.2.7"));

        await Cluster.PutAsync(
            new ObjectKey(Kinds.NetworkingGroup, "IngressClass", "", ns),
            $$$"""{"apiVersion":"networking.k8s.io/v1","kind":"IngressClass","metadata":{"name":"{{{ns}}}","uid":"uid-{{{ns}}}"},"spec":{"controller":"mesh.internal/ingress"}}""");
        await UntilAsync(Kinds.Ingress(NamespacedName.Of(ns, "shop")), stored => IsShown(stored, "192.0.2.7"));
    }

    private static bool IsShown(StoredObject? stored, string address) =>
        stored is not null && Encoding.UTF8.GetString(stored.Document.Span).Contains($"{{\"ip\":\"{address}\"}}", StringComparison.Ordinal);

    /// <summary>Makes the Ingress, or replaces it.</summary>
    private async Task IngressAsync(string ns, string name, int port, string annotations = "")
    {
        var document = """{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"NAME","namespace":"NS","annotations":{WORDS}},"spec":{"rules":[{"host":"NS.example.com","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"shop","port":{"number":PORT}}}}]}}]}}"""
            .Replace("NS", ns, StringComparison.Ordinal).Replace("NAME", name, StringComparison.Ordinal).Replace("PORT", $"{port}", StringComparison.Ordinal)
            .Replace("WORDS", annotations, StringComparison.Ordinal);
        var exists = Cluster.Cache().Get(Kinds.Ingress(NamespacedName.Of(ns, name))) is not null;
        var reply = await Cluster.Client.GetGrain<IIngressGrain>($"{ns}/{name}").Write(exists ? Some.Update(document) : Some.Create(document), Stop);
        Assert.True(reply.Result == ObjectResult.Committed, reply.Message);
    }

    private static string Secret(string ns, string name, string owner) =>
        $$$"""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"{{{name}}}","namespace":"{{{ns}}}","uid":"uid-{{{name}}}","ownerReferences":[{{{owner.TrimStart(',')}}}]}}""";

    private Task<string> UntilEventAsync(string ns, int count) => UntilEventWithAsync(ns, $"\"count\":{count}");

    private Task<string> UntilEventAsync(string ns, string reason) => UntilEventWithAsync(ns, $"\"reason\":\"{reason}\"");

    private async Task<string> UntilEventWithAsync(string ns, string part)
    {
        var cache = Cluster.Cache();
        using var watch = cache.Watch(key => key.Kind == "Event" && key.Namespace == ns, cache.Version);
        while (true)
        {
            var found = cache.List("", "Event", ns).Items.Select(stored => Encoding.UTF8.GetString(stored.Document.Span))
                .FirstOrDefault(text => text.Contains(part, StringComparison.Ordinal));
            if (found is not null)
            {
                return found;
            }

            await watch.NextAsync(Stop);
        }
    }

    private async Task UntilAsync(ObjectKey key, Func<StoredObject?, bool> wanted)
    {
        var cache = Cluster.Cache();
        using var watch = cache.Watch(other => other == key, cache.Version);
        while (!wanted(cache.Get(key)))
        {
            await watch.NextAsync(Stop);
        }
    }
}
