using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// How fast Pods register, up to the 10,000 that one node takes: until the node has them, and until the store has. Once
/// into processes that just started, then, when those Pods have ended, into the same processes again.
/// </summary>
internal static class RegistrationsBenchmark
{
    private const int Pods = 10_000;
    private const double BudgetPerSecond = 3_000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly string[] Rounds = ["cold", "warm", "warm again"];

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("registrations: 10,000 streams opened by one client, 64 at a time");
        await using var cluster = await BenchCluster.StartAsync();
        foreach (var round in Rounds)
        {
            await MeasureAsync(cluster, round, stop);
            var ending = CpuOf(cluster);
            await cluster.EndAllAsync(Limit, stop);
            Tell($"{round}: end of a registration", ending, cluster);
        }

        Report.Figure("resident memory of mesh-silo, at most", ProcessUse.PeakMebibytes(cluster.Silo.SiloPid), "MiB");
        Report.Figure("resident memory of mesh-node, at most", ProcessUse.PeakMebibytes(cluster.Silo.NodePid), "MiB");
    }

    private static async Task MeasureAsync(BenchCluster cluster, string round, CancellationToken stop)
    {
        var before = CpuOf(cluster);
        var began = Stopwatch.GetTimestamp();
        var streams = await cluster.RegisterAsync(
            Pods, number => $"pod-{number}", number => BenchCluster.ReadyPod($"app-{number % 1000}", IPAddress.Loopback, 8080), stop);
        var accepted = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await Task.WhenAll(streams.Select(stream => stream.Stored)).WaitAsync(Limit, stop);
        var stored = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Tell($"{round}: registration", before, cluster);
        Report.AtLeast($"{round}: registrations answered with their uid", Pods / accepted, "/s", BudgetPerSecond);
        Report.AtLeast($"{round}: registrations committed, shown with their resourceVersion", Pods / stored, "/s", BudgetPerSecond);
    }

    private static double[] CpuOf(BenchCluster cluster) =>
        [.. new[] { cluster.Silo.SiloPid, cluster.Silo.NodePid, Environment.ProcessId }.Select(ProcessUse.CpuMicroseconds)];

    private static void Tell(string what, double[] before, BenchCluster cluster)
    {
        var used = CpuOf(cluster).Zip(before, (now, then) => (now - then) / Pods).ToArray();
        Report.Figure($"{what}, CPU of mesh-silo", used[0], "µs");
        Report.Figure($"{what}, CPU of mesh-node", used[1], "µs");
        Report.Figure($"{what}, CPU of this client", used[2], "µs");
    }
}
