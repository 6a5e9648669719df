using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Tests.Cluster;
using Xunit;

namespace Mesh.Grains.Tests.Services;

[Collection(ClusterGroup.Name)]
public sealed class EndpointDeliveryTests(SharedCluster shared) : IDisposable
{
    private readonly MeshTestCluster _cluster = shared.Cluster;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _cluster.Store.Heal();
        _cluster.Network.Heal();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_ready_pod_is_routed_on_every_node_and_a_dead_one_is_not()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1), Some.Row("b", 1001, 1));
        await scene.UntilAsync("a", "b");
        await scene.ApplyAsync(Some.Row("a", 1000, 1).Ended());
        await scene.UntilAsync("b");
    }

    [Theory(Timeout = 30_000)]
    [InlineData("OnRows", Loss.Message)]
    [InlineData("OnRows", Loss.Answer)]
    [InlineData("OnEndpoints", Loss.Message)]
    [InlineData("OnEndpoints", Loss.Answer)]
    public async Task A_lost_message_or_acknowledgement_is_repeated(string method, Loss loss)
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1));
        await scene.UntilAsync("a");
        _cluster.Network.LoseFirst(4, loss, method, scene.Service.Namespace);
        await scene.ApplyAsync(Some.Row("b", 1001, 1));
        await scene.UntilAsync("a", "b");
        Assert.Contains(_cluster.Network.Seen, call => call.Method == method && call.Loss == loss && call.Target.Contains(scene.Service.Namespace, StringComparison.Ordinal));
        scene.AssertNeverEmpty();
    }

    [Theory(Timeout = 30_000)]
    [InlineData("Subscribe", Loss.Message)]
    [InlineData("Subscribe", Loss.Answer)]
    [InlineData("SubscribeEndpoints", Loss.Message)]
    [InlineData("SubscribeEndpoints", Loss.Answer)]
    public async Task A_lost_subscription_is_opened_again(string method, Loss loss)
    {
        _cluster.Network.LoseFirst(3, loss, method, "/");
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1));
        await scene.UntilAsync("a");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_service_that_is_deactivated_is_followed_again()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1));
        await scene.UntilAsync("a");
        await scene.DeactivateAsync(scene.ServiceGrain);
        await scene.ApplyAsync(Some.Row("b", 1001, 1));
        _cluster.RenewAll();
        await scene.UntilAsync("a", "b");
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_service_that_is_collected_while_its_registry_sends_misses_nothing()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1));
        await scene.UntilAsync("a");
        for (var round = 1; round <= 20; round++)
        {
            var send = scene.ApplyAsync(Some.Row($"p{round}", 1000 + round, 1));
            await scene.DeactivateAsync(scene.ServiceGrain);
            await send;
        }

        _cluster.RenewAll();
        await scene.UntilAsync(["a", .. Enumerable.Range(1, 20).Select(round => $"p{round}")]);
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_registry_that_comes_back_with_older_readiness_leaves_the_dead_pod_out()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        var rows = await Task.WhenAll(StoredAsync(scene, "dead"), StoredAsync(scene, "alive"));
        await scene.ApplyAsync(rows);
        await scene.UntilAsync("dead", "alive");
        await scene.ApplyAsync(rows[0].Ended());
        await scene.UntilAsync("alive");
        var seen = scene.Nodes.Select(node => node.History.Count).ToArray();

        await scene.DeactivateAsync(scene.Registry);
        await scene.Registry.Wake(Stop);
        _cluster.RenewAll();
        await scene.ApplyAsync(Some.Row("new", 900_000, 1)); // arrives behind whatever the new activation told first
        await scene.UntilAsync("alive", "new");

        // Its node tells what it holds: from then on the set is whole, and the dead Pod is still not in it.
        await scene.Registry.Inventory(new NodeInventory("n1", rows[0].Order.Liveness + 1, [rows[1]]), Stop);
        await scene.ApplyAsync(Some.Row("newer", 900_001, 1));
        await scene.UntilAsync("alive", "new", "newer");
        foreach (var (node, skip) in scene.Nodes.Zip(seen))
        {
            Assert.All(node.History.Skip(skip), snapshot => Assert.DoesNotContain("dead", TestNode.Usable(snapshot, scene.Service) ?? []));
        }

        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_changed_selector_never_shows_an_empty_set_on_the_way()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1), Some.Row("b", 1001, 1, app: "next"));
        await scene.UntilAsync("a");
        await scene.ServiceGrain.Write(Some.Update(Some.Service(scene.Service, "next")), Stop);
        await scene.UntilAsync("b");
        await scene.ServiceGrain.Write(Some.Update(Some.Service(scene.Service, "web")), Stop);
        await scene.UntilAsync("a");
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-E16")]
    public async Task A_pod_whose_labels_change_leaves_and_comes_back()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1), Some.Row("b", 1001, 1));
        await scene.UntilAsync("a", "b");
        await scene.ApplyAsync(Some.Row("a", 1000, 1, app: "other", spec: 2000));
        await scene.UntilAsync("b");
        await scene.ApplyAsync(Some.Row("a", 1000, 1, spec: 3000));
        await scene.UntilAsync("a", "b");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_service_that_is_created_again_is_another()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1), Some.Row("b", 1001, 1, app: "next"));
        await scene.UntilAsync("a");
        await scene.ServiceGrain.Write(Some.Delete(), Stop);
        await scene.ServiceGrain.Write(Some.Create(Some.Service(scene.Service, "next", uid: "uid-again")), Stop);
        await scene.UntilAsync("b");
    }

    /// <summary>A Pod that the store shows as ready.</summary>
    private async Task<PodRow> StoredAsync(EndpointScene scene, string name)
    {
        var pod = NamespacedName.Of(scene.Service.Namespace, name);
        var stored = await _cluster.PutAsync(Kinds.Pod(pod), Some.Pod(pod, $"uid-{name}", "web", "n1", ready: true));
        var row = Some.Row(name, stored.CreatedVersion, 7);
        return row with { Order = row.Order with { Uid = stored.Uid, SpecVersion = stored.ResourceVersion } };
    }
}
