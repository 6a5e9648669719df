using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
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
        var scene = await EndpointScene.OpenAsync(_cluster, ns => _cluster.Network.LoseFirst(3, loss, method, ns + "/"));
        await scene.ApplyAsync(Some.Row("a", 1000, 1));
        await scene.UntilAsync("a");
        Assert.Contains(_cluster.Network.Seen, call => call.Method == method && call.Loss == loss && call.Target.Contains(scene.Service.Namespace + "/", StringComparison.Ordinal));
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

    [Fact(Timeout = 40_000)]
    public async Task A_receiver_that_moves_while_its_old_activation_lives_reaches_nobody_and_loses_nothing()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1));
        await scene.UntilAsync("a");
        var uid = "uid-" + scene.Service.Name;

        // An old activation of the Service, and one of a gateway, that believe they live: both subscribe as such do.
        var old = new StreamName("old activation", 99);
        var rows = await scene.Registry.Subscribe(new PodSubscription(old, scene.Service.Name, uid, 1, new() { ["app"] = "web" }), Stop);
        await scene.ApplyAsync(Some.Row("b", 1001, 1));
        await scene.UntilAsync("a", "b");

        // What the registry sent on that stream was answered Gone, so it is forgotten, and the living one goes on.
        await UntilAsync(async () => await scene.Registry.Renew(new Renewal(old, rows.Publisher, rows.To, uid), Stop) == RenewalAck.Resync);
        await scene.ApplyAsync(Some.Row("b", 1001, 1).Ended());
        await scene.UntilAsync("a");
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 40_000)]
    public async Task A_registry_that_is_deactivated_is_followed_again()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await scene.UntilAsync("a");
        await scene.DeactivateAsync(scene.Registry);
        await scene.Agents[1].RegisterAsync(scene.Pod("b")); // wakes another activation, which knows no subscriber
        _cluster.RenewAll();
        await scene.UntilAsync("a", "b");
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 40_000)]
    public async Task A_pod_that_is_deleted_by_force_leaves_though_its_grain_knew_nothing_of_its_life()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await scene.Agents[0].RegisterAsync(scene.Pod("b"));
        await scene.Agents[0].SetReadyAsync(scene.Pod("a"), true);
        await scene.UntilAsync("a", "b");
        var pod = _cluster.Client.GetGrain<IPodGrain>(scene.Pod("a").ToString());
        await scene.DeactivateAsync(pod);
        var reply = await pod.Write(new ObjectRequest(ObjectVerb.Delete, default, 0, "", false, GracePeriodSeconds: 0), Stop);
        Assert.Equal(ObjectResult.Committed, reply.Result);
        await scene.UntilAsync("b");
    }

    [Theory(Timeout = 40_000)]
    [InlineData(StoreFault.Unavailable, "a")]
    [InlineData(StoreFault.UnknownNotWritten, "a")]
    [InlineData(StoreFault.UnknownWritten, "b")]
    public async Task What_is_published_stays_while_a_commit_fails_or_its_outcome_is_unknown(StoreFault fault, string then)
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(Some.Row("a", 1000, 1), Some.Row("b", 1001, 1, app: "next"));
        await scene.UntilAsync("a");
        _cluster.Store.Choose((writes, _) => writes.Any(write => write.Key == Kinds.Service(scene.Service)) ? fault : StoreFault.None);
        var reply = await scene.ServiceGrain.Write(Some.Update(Some.Service(scene.Service, "next")), Stop);
        Assert.Equal(fault == StoreFault.Unavailable ? ObjectResult.Unavailable : ObjectResult.Unknown, reply.Result);
        _cluster.Store.Heal();
        await scene.ServiceGrain.Reconcile(0, Stop); // reads the store before it answers
        await scene.UntilAsync(then);
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 40_000)]
    public async Task Known_pods_change_readiness_and_leave_while_the_store_is_silent()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await scene.Agents[1].RegisterAsync(scene.Pod("b"));
        await scene.Agents[1].RegisterAsync(scene.Pod("c"));
        await scene.UntilAsync("a", "b", "c");
        _cluster.Store.Choose((_, _) => StoreFault.Unavailable);
        await scene.Agents[0].SetReadyAsync(scene.Pod("a"), false);
        await scene.UntilAsync("b", "c");
        await scene.Agents[0].SetReadyAsync(scene.Pod("a"), true);
        await scene.UntilAsync("a", "b", "c");
        Assert.Equal(PodReportResult.Retry, (await scene.Agents[1].EndAsync(scene.Pod("b"))).Result); // observed, and not yet written
        await scene.UntilAsync("a", "c");
    }

    [Fact(Timeout = 40_000)]
    public async Task Calls_go_one_way_along_the_chain_and_only_subscriptions_and_hints_go_back()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await scene.UntilAsync("a");
        await scene.DeactivateAsync(scene.Registry);
        await scene.DeactivateAsync(scene.ServiceGrain);
        await scene.Agents[1].RegisterAsync(scene.Pod("b"));
        _cluster.RenewAll();
        await scene.UntilAsync("a", "b");
        string[] chain = ["mesh.pod/", "mesh.pod-registry/", "mesh.service/", "mesh.gateway/"];
        string[] back = ["Subscribe", "Renew", "Unsubscribe", "SubscribeEndpoints", "RenewEndpoints", "UnsubscribeEndpoints"];
        var hops = _cluster.Network.Seen
            .Select(call => (call.Method, From: Array.FindIndex(chain, call.Source.StartsWith), To: Array.FindIndex(chain, call.Target.StartsWith)))
            .Where(call => call.From >= 0 && call.To >= 0 && call.Method != "CancelRequestAsync") // Orleans' own, after a deactivation
            .ToHashSet();
        Assert.Equal(["Apply", "OnEndpoints", "OnRows"], hops.Where(call => call.To == call.From + 1).Select(call => call.Method).Order());
        Assert.All(hops.Where(call => call.To != call.From + 1), call =>
        {
            Assert.Equal(call.From - 1, call.To);
            Assert.Contains(call.Method, back);
        });
        Assert.Contains("Subscribe", hops.Select(call => call.Method));
    }

    private static async Task UntilAsync(Func<Task<bool>> wanted)
    {
        while (!await wanted())
        {
            Stop.ThrowIfCancellationRequested();
        }
    }
}
