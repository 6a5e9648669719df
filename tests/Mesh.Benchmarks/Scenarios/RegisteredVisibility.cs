using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// A registered Pod's life, followed: from its PUT being sent to its endpoint in the node's snapshot, which takes the
/// commit of its object and every grain; and from its connection being reset, as by a kill, to the endpoint gone, which
/// this machine decides alone.
/// </summary>
internal static class RegisteredVisibility
{
    private const int Samples = 300;
    private const int WarmUp = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public static async Task<(Sample Registered, Sample Dead)> MeasureAsync(BenchCluster cluster, CancellationToken stop)
    {
        var registered = new Sample();
        var dead = new Sample();
        using var asker = new DnsLoad(cluster.Silo.Dns, "fresh.default.svc.cluster.local");
        for (var number = 0; number < Samples + WarmUp; number++)
        {
            var began = Stopwatch.GetTimestamp();
            using var stream = await RegistrationStream.OpenAsync(
                cluster.Node, $"fresh-{began}", BenchCluster.ReadyPod("fresh", IPAddress.Loopback, 8080), stop);
            var routed = Visibility.Wait(asker, answers => answers > 0, began, Limit);
            // Dead only once it is at rest: what the death of a Pod costs, not of one half born.
            await stream.Stored.WaitAsync(Limit, stop);
            began = Stopwatch.GetTimestamp();
            stream.Dispose();
            var gone = Visibility.Wait(asker, answers => answers == 0, began, Limit);
            if (number >= WarmUp)
            {
                registered.Add(routed);
                dead.Add(gone);
            }
        }

        return (registered, dead);
    }
}
