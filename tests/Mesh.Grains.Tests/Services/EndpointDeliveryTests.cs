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

    [Fact(Timeout = 40_000)]
    public async Task A_ready_pod_is_routed_on_every_node_and_a_dead_one_is_not()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1), Some.Row("b", 1001, 1));
        await scene.UntilAsync("a", "b");
        await scene.ApplyAsync(Some.Row("a", 1000, 1).Ended());
        await scene.UntilAsync("b");
    }

    [Theory(Timeout = 40_000)]
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

    [Theory(Timeout = 40_000)]
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

    [Fact(Timeout = 40_000)]
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

    [Fact(Timeout = 40_000)]
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

    [Fact(Timeout = 40_000)]
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

    [Fact(Timeout = 40_000)]
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

    [Fact(Timeout = 40_000)]
    public async Task A_service_that_is_created_again_is_another()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1), Some.Row("b", 1001, 1, app: "next"));
        await scene.UntilAsync("a");
        await scene.ServiceGrain.Write(Some.Delete(), Stop);
        await scene.ServiceGrain.Write(Some.Create(Some.Service(scene.Service, "next", uid: "uid-again")), Stop);
        await scene.UntilAsync("b");
    }
}
