using System.Diagnostics;
using System.Globalization;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>Time from a POST to its acknowledgement, durable, one client: idle, and while 1,000 Pods a second turn ready or not.</summary>
internal static class ApiBenchmark
{
    private const int Creates = 500;
    private const int Services = 100;
    private const int ChangesPerSecond = 1_000;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("api: create, acknowledged and durable");
        var changes = new ReadinessChanges(ChangesPerSecond, "/turn/");
        using var backend = new RawBackend(changes.Answer);
        await using var cluster = await BenchCluster.StartAsync();
        await cluster.CreateServicesAsync(Services, stop);
        await MeasureAsync(cluster, "warm", [], stop);
        var disk = Disk(cluster.Silo.DataDir);
        Report.Figure("disk: 4 KiB appended and synced, p50", disk.Median, "ms");
        Report.Figure("disk: 4 KiB appended and synced, p99", disk.Percentile(99), "ms");
        await MeasureAsync(cluster, "idle", [3, 20], stop);

        await cluster.RegisterAsync(
            ChangesPerSecond, number => $"turning-{number}", number => BenchCluster.ProbedPod($"service-{number % Services}", backend.Port, changes.Path(number)), stop);
        await Reached.AfterAsync(Settle, stop);
        var rate = changes.Rate();
        await MeasureAsync(cluster, "under readiness changes", [3, 50], stop);
        Report.Figure("  readiness changes meanwhile", rate(), "/s");
    }

    private static async Task MeasureAsync(BenchCluster cluster, string when, double[] budgets, CancellationToken stop)
    {
        var namespaces = new Sample();
        var services = new Sample();
        for (var number = 0; number < Creates; number++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{when.Replace(' ', '-')}-{number}");
            var began = Stopwatch.GetTimestamp();
            await cluster.CreateServiceAsync("s-" + name, 8080, headless: false, stop);
            services.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            began = Stopwatch.GetTimestamp();
            await cluster.CreateAsync("/api/v1/namespaces", new { apiVersion = "v1", kind = "Namespace", metadata = new { name = "n-" + name } }, stop);
            namespaces.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        if (budgets.Length > 0)
        {
            Report.AtMost($"create of a Service (grain, ClusterIP), {when}, p50", services.Median, "ms", budgets[0]);
            Report.AtMost($"create of a Service (grain, ClusterIP), {when}, p99", services.Percentile(99), "ms", budgets[1]);
            Report.AtMost($"create of a Namespace (no grain), {when}, p50", namespaces.Median, "ms", budgets[0]);
            Report.AtMost($"create of a Namespace (no grain), {when}, p99", namespaces.Percentile(99), "ms", budgets[1]);
        }
    }

    /// <summary>What the disk alone takes for one commit, in the same directory.</summary>
    private static Sample Disk(string directory)
    {
        var sample = new Sample();
        var path = Path.Combine(directory, "synced");
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4096];
        for (var number = 0; number < Creates; number++)
        {
            var began = Stopwatch.GetTimestamp();
            file.Write(page);
            file.Flush(flushToDisk: true);
            sample.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return sample;
    }
}
