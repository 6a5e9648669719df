using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Gateways;
using Mesh.Grains.Tests.Cluster;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

public class GatewaySiloTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_gateway_dies_with_its_silo_and_another_silos_lives_on()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var cluster = await MeshTestCluster.StartAsync();
        var (lost, kept) = (new TestNode("lost"), new TestNode("kept"));
        using var lostLink = await cluster.LinkAsync(lost, cluster.Silos[1]);
        using var keptLink = await cluster.LinkAsync(kept, cluster.Silos[0]);
        await lost.UntilAsync(snapshot => snapshot.IsSynced, stop);
        await kept.UntilAsync(snapshot => snapshot.IsSynced, stop);
        var key = GatewayKey.Of(cluster.Silos[1].SiloAddress, "lost", lostLink.Session.Gateway).ToString();
        var factory = MeshTestCluster.Service<IGrainFactory>(cluster.Silos[0]);
        await cluster.Orleans.StopSiloAsync(cluster.Silos[1], stop);

        await Assert.ThrowsAnyAsync<Exception>(() => factory.GetGrain<IGatewayGrain>(key).OnEndpoints(
            "default/web", new Delta<EndpointRow>(new StreamName("r", 1), "p", 0, 1, true, true, "u", 1, []), stop));

        var ns = await cluster.NamespaceAsync();
        await kept.UntilAsync(snapshot => snapshot.Namespaces.Contains(ns), stop);
    }
}
