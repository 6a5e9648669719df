using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;
using Mesh.Testing.Processes;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>From the SIGKILL of a node to an answer through a ClusterIP again, with the silo stopped as soon as it has started the next.</summary>
internal static class KillsBenchmark
{
    private const int Kills = 5;
    private const int ServicePort = 8080;
    private const double MedianBudgetMilliseconds = 1_000;
    private const double WorstBudgetMilliseconds = 2_000;
    private static readonly TimeSpan Journaled = TimeSpan.FromSeconds(2.5); // it is written within a second

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("kills: node killed, to an answer through a ClusterIP from its journal, the silo stopped");
        var times = new Sample();
        for (var kill = 0; kill < Kills; kill++)
        {
            var time = await KillOnceAsync(stop);
            Report.Figure($"  kill {kill + 1}", time.TotalMilliseconds, "ms");
            times.Add(time.TotalMilliseconds);
        }

        Report.AtMost($"answering again, median of {Kills}", times.Median, "ms", MedianBudgetMilliseconds);
        Report.AtMost($"answering again, worst of {Kills}", times.Percentile(100), "ms", WorstBudgetMilliseconds);
    }

    private static async Task<TimeSpan> KillOnceAsync(CancellationToken stop)
    {
        using var backend = new RawBackend();
        await using var cluster = await BenchCluster.StartAsync();
        var clusterIP = await cluster.CreateServiceAsync("web", ServicePort, headless: false, stop);
        await cluster.RegisterAsync(1, _ => "web-1", _ => BenchCluster.ReadyPod("web", IPAddress.Loopback, backend.Port), stop);
        var service = new IPEndPoint(clusterIP!, ServicePort);
        await Reached.WhenAsync("the ClusterIP answers", () => Answers(service), stop);
        await Reached.AfterAsync(Journaled, stop);

        var killed = cluster.Silo.NodePid;
        var began = Stopwatch.GetTimestamp();
        Signals.Kill(killed);
        await Reached.WhenAsync("another node", () => File.Exists(Path.Combine(cluster.Silo.DataDir, "node.pid")) && cluster.Silo.NodePid != killed, stop);
        Signals.Stop(cluster.Silo.Process.Pid);
        await Reached.WhenAsync("the ClusterIP answers again", () => Answers(service), stop);
        return Stopwatch.GetElapsedTime(began);
    }

    private static bool Answers(IPEndPoint service) => new HttpLoad(service, "web", "/", 1, keep: false).Run(TimeSpan.FromMilliseconds(1)) > 0;
}
