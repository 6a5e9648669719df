using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Nodes;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Xunit;

namespace Mesh.Grains.Tests.Nodes;

[Collection(ClusterGroup.Name)]
public sealed class NodeSessionTests(SharedCluster shared) : IAsyncDisposable
{
    private static readonly NodeFacts Facts = new("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30);

    private readonly CancellationTokenSource _ended = new();
    private readonly List<Task> _served = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    private NodeSessionService Sessions => MeshTestCluster.Service<NodeSessionService>(Cluster.Silos[0]);

    public async ValueTask DisposeAsync()
    {
        Cluster.Network.Heal();
        await _ended.CancelAsync();
        await Task.WhenAll(_served).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_link_is_fed_at_once_though_the_nodes_grain_is_out_of_reach_and_hears_later()
    {
        Cluster.Network.Choose(call => call.MethodName is "Open" or "Alive" ? Loss.Message : Loss.None);
        var node = new TestNode("ns-far");
        Serve(node, "ns-far-1", 1);
        await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        Assert.Null(Cluster.Cache().Get(Kinds.Node("ns-far")));
        Cluster.Network.Heal();
        using var watch = Cluster.Cache().Watch(key => key == Kinds.Node("ns-far"), Cluster.Cache().Version);
        while (Cluster.Cache().Get(Kinds.Node("ns-far")) is not { } stored || NodeDocument.ReadyStatus(stored.Document) != "True")
        {
            await watch.NextAsync(Stop);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_link_that_a_newer_one_replaced_is_no_longer_served()
    {
        var node = new TestNode("ns-newer");
        Serve(node, "ns-newer-2", 2);
        await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        await Cluster.Client.GetGrain<INodeGrain>("ns-newer").Open(new NodeSession("g", 1, 2, "127.0.0.1", "test"), Facts, Stop);
        var (_, older) = Serve(new TestNode("ns-newer"), "ns-newer-1", 1);
        await older.WaitAsync(Stop);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_a_registry_knows_otherwise_than_its_node_is_asked_for_and_mended()
    {
        var service = NamespacedName.Of(await Cluster.NamespaceAsync(), "web");
        var marker = await Cluster.NamespaceAsync();
        await Cluster.Client.GetGrain<IServiceGrain>(service.ToString()).Write(Some.Create(Some.Service(service)), Stop);
        var pod = new ReportedPod(Cluster, NamespacedName.Of(service.Namespace, "a"), Stop);
        var (node, other) = (new TestNode("ns-digest"), new TestNode("ns-other"));
        var (link, _) = Serve(node, "ns-digest-1", 1);
        using var otherLink = await Cluster.LinkAsync(other, Cluster.Silos[1]);
        await pod.ReportAsync(pod.Alive("u1", 5, node: node.Name));
        await other.UntilUsableAsync(service, ["a"], Stop);

        Sessions.PutDigest("ns-digest-1", service.Namespace, HeldDigest.Of([("a", "u1", 5)])); // as the registry knows it
        Sessions.PutDigest("ns-digest-1", marker, new HeldDigest(1, 1)); // after it
        await RequestedAsync(node, link, marker);
        Assert.DoesNotContain(service.Namespace, link.InventoryRequests);

        Sessions.PutDigest("ns-digest-1", service.Namespace, HeldDigest.Of([("a", "u1", 7)]));
        await RequestedAsync(node, link, service.Namespace);
        Sessions.PutInventory("ns-digest-1", service.Namespace, 7, [new HeldPod(service.Namespace, "a", "u1", 7, IsReady: false, false, true)]);
        await other.UntilUsableAsync(service, [], Stop);
        otherLink.End();
    }

    private static async Task RequestedAsync(TestNode node, TestLink link, string ns) =>
        await node.UntilAsync(_ => link.InventoryRequests.Contains(ns), Stop);

    private (TestLink Link, Task Served) Serve(TestNode node, string session, long number)
    {
        var link = new TestLink(node, new NodeSession(session, 1, number, "127.0.0.1", "test"));
        MeshTestCluster.Service<TestLinks>(Cluster.Silos[0]).Add(link);
        node.BeginResync();
        var served = Sessions.ServeAsync(session, link, Facts, _ended.Token);
        _served.Add(served);
        return (link, served);
    }
}
