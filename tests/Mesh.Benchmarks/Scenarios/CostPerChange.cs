using System.Diagnostics;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// What one change of readiness costs both processes while nothing else happens: from the probe's answer through every grain to
/// the node's snapshot, with its share of the paced writes that mirror it in the store.
/// </summary>
internal static class CostPerChange
{
    private const double BudgetKilobytes = 12;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);

    public static async Task MeasureAsync(BenchCluster cluster, ReadinessChanges changes, CancellationToken stop)
    {
        using var client = new HttpClient();
        var (bytes, cpu, count, began) = (await Allocated.ReadAsync(client, cluster.Node, stop), CpuOf(cluster), changes.Count, Stopwatch.GetTimestamp());
        await Reached.AfterAsync(Window, stop);
        var (seconds, changed, used) = (Stopwatch.GetElapsedTime(began).TotalSeconds, changes.Count - count, CpuOf(cluster));
        var allocated = await Allocated.ReadAsync(client, cluster.Node, stop);
        Report.Figure("changes of readiness", changed / seconds, "/s");
        Report.AtMost("allocated per change, mesh-silo", (allocated.Silo - bytes.Silo) / changed / 1000, "kB", BudgetKilobytes);
        Report.Figure("allocated per change, mesh-node", (allocated.Node - bytes.Node) / changed / 1000, "kB");
        Report.Figure("CPU per change, mesh-silo", (used.Silo - cpu.Silo) / changed, "µs");
        Report.Figure("CPU per change, mesh-node, with its probe", (used.Node - cpu.Node) / changed, "µs");
    }

    private static (double Silo, double Node) CpuOf(BenchCluster cluster) =>
        (ProcessUse.CpuMicroseconds(cluster.Silo.SiloPid), ProcessUse.CpuMicroseconds(cluster.Silo.NodePid));
}
