using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Gateways;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Mesh.Testing.Time;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

[Collection(ClusterGroup.Name)]
public class GatewayTests(SharedCluster shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 30_000)]
    public async Task A_gateway_lives_where_its_link_ends_and_is_called_from_every_silo()
    {
        var node = new TestNode("gw-a");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[1]); // its link is known to that silo only
        await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        foreach (var silo in Cluster.Silos)
        {
            var gateway = MeshTestCluster.Service<IGrainFactory>(silo).GetGrain<IGatewayGrain>(Key(link, 1));
            await gateway.HintInventory("default/0");
        }

        await node.UntilAsync(_ => link.InventoryRequests.Count >= 2, Stop);
        Assert.All(link.InventoryRequests, ns => Assert.Equal("default", ns));
        link.End();
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "gateway: sending")]
    public async Task A_gateway_that_met_an_exception_ends_and_the_next_one_tells_what_it_had_taken_in_hand()
    {
        var node = new TestNode("gw-fault");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        link.Faults[nameof(link.ApplyAsync)] = PlantedTime.Planted();
        var ns = await Cluster.NamespaceAsync();
        Assert.True(NamespacedName.TryParse($"{ns}/web", out var name));
        await Cluster.PutAsync(Kinds.Service(name), Some.Service(name));
        Assert.IsType<InvalidOperationException>(await Cluster.Loops.EndedAsync("gateway: sending", Stop));
        await PulseUntilAsync(link, () => node.Current.Services.ContainsKey(name));
        link.End();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("gateway: specs", nameof(IWatchCache.Watch))]
    [InlineData("gateway: first specs", nameof(IWatchCache.WaitForFreshAsync))]
    [InlineData("gateway: node's life", nameof(IGatewayLink.Silence))]
    [InlineData("gateway: certificate", nameof(IGatewayLink.DefaultCertificate))]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "gateway: specs")]
    [Trait("Loop", "gateway: first specs")]
    [Trait("Loop", "gateway: node's life")]
    [Trait("Loop", "gateway: certificate")]
    public async Task A_gateway_one_of_whose_loops_met_an_exception_as_it_began_ends_and_the_next_one_tells_everything(string loop, string member)
    {
        var node = new TestNode($"gw-{member}");
        var cache = MeshTestCluster.Service<PlantedCache>(Cluster.Silos[0]);
        cache.Fails = member;
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0], before: link => link.Faults[member] = PlantedTime.Planted());
        Assert.IsType<InvalidOperationException>(await Cluster.Loops.EndedAsync(loop, Stop));
        cache.Fails = null;
        await PulseUntilAsync(link, () => node.Current.IsSynced);
        Assert.DoesNotContain(Cluster.Loops.Lines, static line => line.Text.StartsWith("The loop 'subscription'", StringComparison.Ordinal));
        link.End();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_message_for_a_link_that_ended_is_answered_Gone()
    {
        var node = new TestNode("gw-b");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        link.End();
        var gateway = Cluster.Client.GetGrain<IGatewayGrain>(Key(link, 0));
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal(DeliveryAck.Gone, await TellAsync(gateway));
        }

        var never = GatewayKey.Of(Cluster.Silos[0].SiloAddress, "gw-b", "no-such-session").ToString();
        Assert.Equal(DeliveryAck.Gone, await Cluster.Client.GetGrain<IGatewayGrain>(never).OnEndpoints("default/web", Empty(), Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task Rows_of_a_Service_that_nobody_knows_are_answered_Gone()
    {
        var node = new TestNode("gw-c");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        Assert.Equal(DeliveryAck.Gone, await Cluster.Client.GetGrain<IGatewayGrain>(Key(link, 0)).OnEndpoints("default/never", Empty(), Stop));
        link.End();
    }

    [Fact(Timeout = 30_000)]
    public async Task Namespaces_reach_the_node_and_leave_it()
    {
        var node = new TestNode("gw-d");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[1]);
        var ns = await Cluster.NamespaceAsync();
        await node.UntilAsync(snapshot => snapshot.Namespaces.Contains(ns), Stop);
        await Cluster.DeleteAsync(Kinds.Namespace(ns));
        await node.UntilAsync(snapshot => !snapshot.Namespaces.Contains(ns), Stop);
        link.End();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_node_is_told_the_Pods_that_are_its_own_and_no_others()
    {
        var ns = await Cluster.NamespaceAsync();
        var node = new TestNode("gw-e");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        await PutPodAsync(ns, "foreign", "another");
        await PutPodAsync(ns, "own", "gw-e");
        await node.UntilAsync(_ => Told(node).Contains("own"), Stop);
        Assert.DoesNotContain("foreign", Told(node));
        link.End();
    }

    /// <summary>While an activation goes, Orleans may refuse a message for it: the sender's next try is answered.</summary>
    private static async Task<DeliveryAck> TellAsync(IGatewayGrain gateway)
    {
        while (true)
        {
            try
            {
                return await gateway.OnEndpoints("default/web", Empty(), Stop);
            }
            catch (OrleansMessageRejectionException)
            {
                Stop.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>As the process that owns the link does each 3 s. While an activation goes, Orleans may refuse a call.</summary>
    private async Task PulseUntilAsync(TestLink link, Func<bool> done)
    {
        var gateway = Cluster.Client.GetGrain<IGatewayGrain>(Key(link, 0));
        while (!done())
        {
            try
            {
                await gateway.Start(Stop);
            }
            catch (OrleansException)
            {
                Stop.ThrowIfCancellationRequested();
            }
        }
    }

    private static IEnumerable<string> Told(TestNode node) =>
        node.Told.OfType<Core.Routing.RoutingChange.PodSpec>().Select(change => change.Object.Name.Name);

    private Task<StoredObject> PutPodAsync(string ns, string name, string node) => Cluster.PutAsync(
        Kinds.Pod(NamespacedName.Of(ns, name)),
        $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","namespace":"{{{ns}}}","uid":"uid-{{{name}}}"},"spec":{"nodeName":"{{{node}}}"}}""");

    private string Key(TestLink link, int silo) => GatewayKey.Of(Cluster.Silos[silo].SiloAddress, link.NodeName, link.Session.Gateway).ToString();

    private static Delta<EndpointRow> Empty() => new(new StreamName("nobody", 1), "nobody", 0, 1, true, true, "uid", 1, []);
}
