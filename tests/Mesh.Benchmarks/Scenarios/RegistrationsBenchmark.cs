using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>How fast Pods register, up to the 10,000 that one node takes: until the node has them, and until the store has.</summary>
internal static class RegistrationsBenchmark
{
    private const int Pods = 10_000;
    private const double BudgetPerSecond = 3_000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("registrations: 10,000 streams opened by one client, 64 at a time");
        await using var cluster = await BenchCluster.StartAsync();
        var began = Stopwatch.GetTimestamp();
        var streams = await cluster.RegisterAsync(
            Pods, number => $"pod-{number}", number => BenchCluster.ReadyPod($"app-{number % 1000}", IPAddress.Loopback, 8080), stop);
        var accepted = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await Task.WhenAll(streams.Select(stream => stream.Stored)).WaitAsync(Limit, stop);
        var stored = Stopwatch.GetElapsedTime(began).TotalSeconds;

        Report.AtLeast("registrations answered with their uid", Pods / accepted, "/s", BudgetPerSecond);
        Report.AtLeast("registrations committed, shown with their resourceVersion", Pods / stored, "/s", BudgetPerSecond);
        Report.Figure("  resident memory of mesh-silo then", ProcessUse.ResidentMebibytes(cluster.Silo.SiloPid), "MiB");
        Report.Figure("  resident memory of mesh-node then", ProcessUse.ResidentMebibytes(cluster.Silo.NodePid), "MiB");
        Report.Figure("  CPU of mesh-silo per registration", ProcessUse.CpuMicroseconds(cluster.Silo.SiloPid) / Pods, "µs");
        Report.Figure("  CPU of mesh-node per registration", ProcessUse.CpuMicroseconds(cluster.Silo.NodePid) / Pods, "µs");
    }
}
