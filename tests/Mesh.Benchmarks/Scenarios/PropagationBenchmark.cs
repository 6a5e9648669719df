using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// From an event to the node's snapshot, at 1,000 Services and 10,000 Pods. The snapshot is seen by the node's own DNS
/// server, which answers a headless Service's name from it: asked again and again from the event on.
/// </summary>
internal static class PropagationBenchmark
{
    private const int Services = 1_000;
    private const int Pods = 10_000;
    private const int ChangesPerSecond = 1_000;
    private const int Watched = 20;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PacedWrites = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan StoreLimit = TimeSpan.FromMinutes(5);

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("propagation: event → the node's snapshot, 1,000 Services and 10,000 Pods");
        var changes = new ReadinessChanges(ChangesPerSecond, "/turn/");
        var watched = new ReadinessChanges(Watched, "/watched/");
        using var seen = new ProbedVisibility(watched);
        using var backend = new RawBackend(path => watched.Owns(path) ? seen.Answer(path) : changes.Answer(path));
        await using var cluster = await BenchCluster.StartAsync();
        await FillAsync(cluster, Pods - ChangesPerSecond - 1, stop);
        var idle = await cluster.RegisterAsync(ChangesPerSecond, number => $"idle-{number}", number => BenchCluster.ReadyPod(App(number), IPAddress.Loopback, 8080), stop);
        await WatchAsync(cluster, watched, backend.Port, stop);

        await Reached.AfterAsync(PacedWrites, stop); // until then the silo mirrors what was just created: not idle
        await MeasureAsync(cluster, seen, "idle", new Budgets(5, 2), stop);
        await Task.WhenAll(idle.Select(stream => stream.EndAsync()));
        await TurnAsync(cluster, changes, backend.Port, stop);
        await CostPerChange.MeasureAsync(cluster, changes, stop);
        var rate = changes.Rate();
        await MeasureAsync(cluster, seen, "at readiness changes", new Budgets(20, 2), stop);
        Report.Figure("  readiness changes meanwhile", rate(), "/s");
    }

    private static string App(int pod) => $"service-{pod % Services}";

    private static async Task FillAsync(BenchCluster cluster, int pods, CancellationToken stop)
    {
        await cluster.CreateServicesAsync(Services, stop);
        var streams = await cluster.RegisterAsync(pods, number => $"pod-{number}", number => BenchCluster.ReadyPod(App(number), IPAddress.Loopback, 8080), stop);
        await Task.WhenAll(streams.Select(stream => stream.Stored)).WaitAsync(StoreLimit, stop);
    }

    /// <summary>Manifest Pods: nothing of them is applied on this machine before it went through every grain.</summary>
    private static async Task WatchAsync(BenchCluster cluster, ReadinessChanges watched, int port, CancellationToken stop)
    {
        await cluster.CreateServiceAsync("fresh", 8080, headless: true, stop);
        for (var number = 0; number < Watched; number++)
        {
            await cluster.CreateServiceAsync(ProbedVisibility.Service(number), 8080, headless: true, stop);
            await cluster.CreateAsync("/api/v1/namespaces/default/pods", ManifestPod(number, port, watched.Path(number)), stop);
        }
    }

    private static async Task TurnAsync(BenchCluster cluster, ReadinessChanges changes, int port, CancellationToken stop)
    {
        await cluster.RegisterAsync(ChangesPerSecond, number => $"turning-{number}", number => BenchCluster.ProbedPod(App(number), port, changes.Path(number)), stop);
        await Reached.AfterAsync(Settle, stop);
    }

    private static async Task MeasureAsync(BenchCluster cluster, ProbedVisibility seen, string when, Budgets budgets, CancellationToken stop)
    {
        var loads = (Before: ProcessUse.CpuMicroseconds(cluster.Silo.SiloPid), Node: ProcessUse.CpuMicroseconds(cluster.Silo.NodePid), At: Stopwatch.GetTimestamp());
        var probed = await seen.MeasureAsync(cluster.Silo.Dns, stop);
        Tell($"probe answered → ready or not in the snapshot, all grains, {when}", probed, budgets.Chain);
        var (registered, dead) = await RegisteredVisibility.MeasureAsync(cluster, stop);
        Tell($"PUT sent → routed, all grains and the commit, {when}", registered, budgets.Chain);
        Tell($"process dead → out of its own node's snapshot, {when}", dead, budgets.Dead);
        var seconds = Stopwatch.GetElapsedTime(loads.At).TotalSeconds;
        Report.Figure("  mesh-silo, processors used", (ProcessUse.CpuMicroseconds(cluster.Silo.SiloPid) - loads.Before) / 1e6 / seconds, "");
        Report.Figure("  mesh-node, processors used", (ProcessUse.CpuMicroseconds(cluster.Silo.NodePid) - loads.Node) / 1e6 / seconds, "");
    }

    private static void Tell(string what, Sample sample, double budget)
    {
        Report.Figure($"{what}, p50 of {sample.Count}", sample.Median, "ms");
        Report.AtMost($"{what}, p99", sample.Percentile(99), "ms", budget);
    }

    private static object ManifestPod(int number, int port, string path) => new
    {
        apiVersion = "v1",
        kind = "Pod",
        metadata = new { name = $"watched-{number}", labels = new { app = ProbedVisibility.Service(number) } },
        spec = new
        {
            containers = new[]
            {
                new
                {
                    name = "main",
                    image = "none",
                    ports = new[] { new { name = "http", containerPort = port } },
                    readinessProbe = new { httpGet = new { path, port }, periodSeconds = 1, failureThreshold = 1, timeoutSeconds = 10 },
                },
            },
        },
    };

    private sealed record Budgets(double Chain, double Dead);
}
