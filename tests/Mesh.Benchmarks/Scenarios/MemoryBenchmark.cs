using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// What one silo holds at its largest: 10,000 Services and 100,000 Pods, ten to a Service. 5,000 Pods are registered and
/// ready here: each takes a descriptor of the node for its stream and one for the listener of its Service, and a process
/// may have 20,000. The others are manifests of nine machines that never linked: each has its object, its grain, its row
/// and its endpoint as every Pod has, and nobody reports or probes it.
/// </summary>
internal static class MemoryBenchmark
{
    private const int Services = 10_000;
    private const int Pods = 100_000;
    private const int Registered = 5_000;
    private const int Machines = 9;
    private const double BudgetMebibytes = 1.2 * 1024;
    private const double BudgetListSeconds = 5;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    public static Task RunAsync(CancellationToken stop) => RunAsync("", new Dictionary<string, string>(), stop);

    /// <summary>With a collector that compacts rather than keep what is fragmented by more than half.</summary>
    public static Task RunConservingAsync(CancellationToken stop) =>
        RunAsync(", DOTNET_GCConserveMemory=5", new Dictionary<string, string> { ["DOTNET_GCConserveMemory"] = "5" }, stop);

    /// <summary>With a heap that may not grow above 700 MiB, in either process.</summary>
    public static Task RunLimitedAsync(CancellationToken stop) => RunAsync(
        ", DOTNET_GCHeapHardLimit of 700 MiB",
        new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = (700L << 20).ToString("X", CultureInfo.InvariantCulture) }, // it is read as hexadecimal
        stop);

    private static async Task RunAsync(string with, Dictionary<string, string> environment, CancellationToken stop)
    {
        Report.Title("memory: 100,000 Pods and 10,000 Services" + with);
        await using var cluster = await BenchCluster.StartAsync(environment);
        Report.Figure("resident memory of mesh-silo, empty", ProcessUse.ResidentMebibytes(cluster.Silo.SiloPid), "MiB");
        await TimedAsync("Services created", Services, () => cluster.CreateServicesAsync(Services, stop));
        Report.Figure("  resident memory of mesh-silo then", ProcessUse.ResidentMebibytes(cluster.Silo.SiloPid), "MiB");
        await TimedAsync("Pods registered", Registered, async () =>
        {
            var streams = await cluster.RegisterAsync(
                Registered, number => $"registered-{number}", number => BenchCluster.ReadyPod($"service-{number}", IPAddress.Loopback, 8080), stop);
            await Task.WhenAll(streams.Select(stream => stream.Stored)).WaitAsync(Limit, stop);
        });
        await TimedAsync("Pods created as manifests", Pods - Registered, () => cluster.CreatePodsAsync(Pods - Registered, Manifest, stop));
        Report.Figure("  resident memory of mesh-silo then", ProcessUse.ResidentMebibytes(cluster.Silo.SiloPid), "MiB");
        await cluster.WaitForCountAsync("/api/v1/pods", Pods, Limit, stop);
        var settling = Stopwatch.GetTimestamp();
        await cluster.WaitForRestAsync(Limit, stop);
        Report.Figure("after the last Pod, until nothing is written any more", Stopwatch.GetElapsedTime(settling).TotalSeconds, "s");

        for (var round = 1; round <= 3; round++)
        {
            var (seconds, mebibytes) = await ListAsync(cluster, stop);
            Report.AtMost($"GET /api/v1/pods of all, time {round}", seconds, "s", BudgetListSeconds);
            Report.Note(FormattableString.Invariant($"{mebibytes:F0} MiB"));
        }

        if (await cluster.CountAsync("/api/v1/pods", stop) is var left && left != Pods)
        {
            throw new InvalidOperationException($"{left} of {Pods} Pods are left: the figures are not of what they say.");
        }

        Report.Figure("resident memory of mesh-silo at the end", ProcessUse.ResidentMebibytes(cluster.Silo.SiloPid), "MiB");
        Report.AtMost("resident memory of mesh-silo, at most", ProcessUse.PeakMebibytes(cluster.Silo.SiloPid), "MiB", BudgetMebibytes);
        Report.Figure("resident memory of mesh-node, at most", ProcessUse.PeakMebibytes(cluster.Silo.NodePid), "MiB");
    }

    private static object Manifest(int number) => new
    {
        apiVersion = "v1",
        kind = "Pod",
        metadata = new
        {
            name = $"manifest-{number}",
            labels = new { app = $"service-{number % Services}" },
            annotations = new Dictionary<string, string> { ["mesh.internal/pod-ip"] = $"10.{number % Machines}.{number / 250 % 250}.{(number % 250) + 1}" },
        },
        spec = new
        {
            nodeName = $"machine-{number % Machines}",
            containers = new[] { new { name = "main", image = "process", ports = new[] { new { name = "http", containerPort = 8080 } } } },
        },
    };

    private static async Task TimedAsync(string what, int count, Func<Task> run)
    {
        var began = Stopwatch.GetTimestamp();
        await run();
        Report.Figure(what, count / Stopwatch.GetElapsedTime(began).TotalSeconds, "/s");
    }

    private static async Task<(double Seconds, double Mebibytes)> ListAsync(BenchCluster cluster, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        using var response = await cluster.Api.GetAsync(new Uri("/api/v1/pods", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, stop);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync(stop);
        var buffer = new byte[1 << 16];
        var length = 0L;
        int read;
        while ((read = await body.ReadAsync(buffer, stop)) > 0)
        {
            length += read;
        }

        return (Stopwatch.GetElapsedTime(began).TotalSeconds, length / 1048576.0);
    }
}
