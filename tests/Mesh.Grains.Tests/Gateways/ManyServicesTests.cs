using System.Diagnostics;
using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

/// <summary>How long a new node waits for a thousand Services; printed, not asserted.</summary>
public sealed class ManyServicesTests : IAsyncLifetime
{
    private const int Services = 1000;
    private const int PodsEach = 10;

    private MeshTestCluster _cluster = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await MeshTestCluster.StartAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = 120_000)]
    public async Task A_new_node_is_told_a_thousand_Services_of_ten_endpoints_whole()
    {
        var ns = await _cluster.NamespaceAsync();
        Write[] writes = [.. Enumerable.Range(0, Services).Select(i => NamespacedName.Of(ns, $"s{i}")).Select(name =>
            new Write.Put(Kinds.Service(name), Encoding.UTF8.GetBytes(Some.Service(name, app: name.Name)), Precondition.None))];
        await _cluster.Store.CommitAsync(writes, CommitClass.Request, Stop);
        PodRow[] rows = [.. Enumerable.Range(0, Services * PodsEach).Select(i => Some.Row($"p{i}", 10_000 + i, 1, app: $"s{i / PodsEach}"))];
        await _cluster.Client.GetGrain<IPodRegistryGrain>(ns + "/0").Apply(rows, Stop);

        var cold = await LinkAsync("cold", ns); // its subscriptions activate what no Keeper has woken yet
        var warm = await LinkAsync("warm", ns);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Services} Services of {PodsEach} endpoints to a new node: {cold.TotalMilliseconds:F0} ms cold, {warm.TotalMilliseconds:F0} ms warm");
    }

    private async Task<TimeSpan> LinkAsync(string name, string ns)
    {
        var node = new TestNode(name);
        var start = Stopwatch.GetTimestamp();
        using var link = await _cluster.LinkAsync(node, _cluster.Silos[0]);
        var whole = await node.UntilAsync(snapshot => snapshot.IsSynced, Stop);
        await node.UntilAsync(
            snapshot => Enumerable.Range(0, Services).All(i => TestNode.Usable(snapshot, NamespacedName.Of(ns, $"s{i}"))?.Count == PodsEach), Stop);
        var took = Stopwatch.GetElapsedTime(start);
        Assert.Equal(Services, whole.Services.Count(service => service.Key.Namespace == ns));
        link.End();
        return took;
    }
}
