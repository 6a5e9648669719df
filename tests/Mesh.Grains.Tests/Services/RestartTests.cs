using Mesh.Core.Names;
using Mesh.Grains.Tests.Cluster;
using Xunit;

namespace Mesh.Grains.Tests.Services;

/// <summary>Restarts of what publishes and receives, with real Pods behind the Service. These tests stop silos.</summary>
[Collection(RestartGroup.Name)]
public sealed class RestartTests(RestartCluster shared) : IDisposable
{
    private readonly MeshTestCluster _cluster = shared.Cluster;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _cluster.Store.Heal();
        _cluster.Network.Heal();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_registry_that_comes_back_with_older_readiness_in_the_store_leaves_the_dead_pod_out()
    {
        var scene = await WithADeadPodAsync();
        var told = scene.Nodes.Select(node => node.History.Count).ToArray();
        await scene.DeactivateAsync(scene.Registry);
        await scene.Registry.Wake(Stop);
        _cluster.RenewAll();
        await scene.Agents[1].RegisterAsync(scene.Pod("new"));
        await scene.UntilAsync("a", "b", "new");
        AssertNeverRouted(scene, "dead", told);
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task When_every_silo_restarts_no_service_publishes_an_empty_set_and_the_dead_stay_dead()
    {
        var scene = await WithADeadPodAsync();
        var told = scene.Nodes.Select(node => node.History.Count).ToArray();
        await _cluster.RestartAllAsync();
        await scene.LinkAsync();
        await scene.Agents[1].RegisterAsync(scene.Pod("new"));
        await scene.UntilAsync("a", "b", "new");
        AssertNeverRouted(scene, "dead", told);
        scene.AssertNeverToldEmpty();
        scene.AssertNeverEmpty();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_silo_that_stops_costs_no_endpoint_and_changes_flow_on()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await scene.Agents[1].RegisterAsync(scene.Pod("b"));
        await scene.UntilAsync("a", "b");
        await _cluster.Orleans.StopSiloAsync(_cluster.Silos[1], Stop);
        await scene.LinkAsync(); // the second node, whose link ended with its silo, links to the one that is left
        await scene.Agents[0].SetReadyAsync(scene.Pod("a"), false);
        await scene.UntilAsync("b");
        await scene.Agents[1].RegisterAsync(scene.Pod("new"));
        await scene.UntilAsync("b", "new");
        scene.AssertNeverToldEmpty();
        scene.AssertNeverEmpty();
        await _cluster.Orleans.StartAdditionalSiloAsync();
    }

    /// <summary>Two living Pods, and one whose end everybody heard of but the store, which shows it ready.</summary>
    private async Task<EndpointScene> WithADeadPodAsync()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await scene.Agents[0].RegisterAsync(scene.Pod("dead"));
        await scene.Agents[1].RegisterAsync(scene.Pod("b"));
        await scene.UntilAsync("a", "b", "dead");
        _cluster.Store.Choose((writes, _) => writes.Any(write => write.Key == Kinds.Pod(scene.Pod("dead"))) ? StoreFault.Unavailable : StoreFault.None);
        await scene.Agents[0].EndAsync(scene.Pod("dead"));
        await scene.UntilAsync("a", "b");
        return scene;
    }

    private static void AssertNeverRouted(EndpointScene scene, string pod, int[] since)
    {
        foreach (var (node, skip) in scene.Nodes.Zip(since))
        {
            Assert.All(node.History.Skip(skip), snapshot => Assert.DoesNotContain(pod, TestNode.Usable(snapshot, scene.Service) ?? []));
        }
    }
}

/// <summary>A cluster whose silos stop and start.</summary>
public sealed class RestartCluster : IAsyncLifetime
{
    public MeshTestCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await MeshTestCluster.StartAsync();

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class RestartGroup : ICollectionFixture<RestartCluster>
{
    public const string Name = "restarts";
}
