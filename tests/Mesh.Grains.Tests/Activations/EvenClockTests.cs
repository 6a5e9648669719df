using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Mesh.Testing.Time;
using Xunit;

namespace Mesh.Grains.Tests.Activations;

public class EvenClockTests
{
    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D2")]
    public async Task Grains_are_activated_though_the_wall_clock_was_set_back_since_the_silo_started()
    {
        var stop = TestContext.Current.CancellationToken;
        var clock = new JumpingClock(TimeProvider.System);
        await using var cluster = await MeshTestCluster.StartAsync(silos: 1, clock);
        clock.SetWall(-TimeSpan.FromHours(1));
        var pod = new ReportedPod(cluster, NamespacedName.Of(await cluster.NamespaceAsync(), "web"), stop);
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u1", 1))).Result);
    }
}
