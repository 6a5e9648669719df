using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>What a change of readiness costs, at 1,000 a second, in a minute: 1,000 Pods, each the one endpoint of a Service.</summary>
internal static class ChangesBenchmark
{
    private const int Pods = 1_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("changes: what one change of readiness costs, 1,000 Services with a Pod each, 1,000 changes/s");
        var changes = new ReadinessChanges(Pods, "/turn/");
        using var backend = new RawBackend(changes.Answer);
        await using var cluster = await BenchCluster.StartAsync();
        await cluster.CreateServicesAsync(Pods, stop);
        await cluster.RegisterAsync(
            Pods, number => $"turning-{number}", number => BenchCluster.ProbedPod($"service-{number}", backend.Port, changes.Path(number)), stop);
        await Reached.AfterAsync(WarmUp, stop);
        await CostPerChange.MeasureAsync(cluster, changes, stop);
    }
}
