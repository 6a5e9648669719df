using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Measuring;
using Mesh.Benchmarks.Peers;
using Mesh.Testing.Processes;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>From the start of mesh-silo on an empty data directory to its <c>/readyz</c>, and what both processes hold when idle.</summary>
internal static class StartBenchmark
{
    private const int Runs = 5;
    private const double StartBudgetSeconds = 3;
    private const double MemoryBudgetMebibytes = 280;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("start: to /readyz with an empty store, and resident memory after 30 s idle");
        var start = new Sample();
        var bare = new Sample();
        var silo = new Sample();
        var node = new Sample();
        var both = new Sample();
        for (var run = 0; run < Runs; run++)
        {
            var began = Stopwatch.GetTimestamp();
            await using (await PeerProcess.StartOwnAsync(stop, BareWeb.AspNetRole))
            {
                bare.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            }

            await using var machine = SiloUnderTest.Prepare();
            began = Stopwatch.GetTimestamp();
            machine.Launch();
            await ReadyAsync(machine, stop);
            start.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            await Reached.AfterAsync(Idle, stop);
            silo.Add(ProcessUse.ResidentMebibytes(machine.SiloPid));
            node.Add(ProcessUse.ResidentMebibytes(machine.NodePid));
            both.Add(ProcessUse.ResidentMebibytes(machine.SiloPid) + ProcessUse.ResidentMebibytes(machine.NodePid));
        }

        Report.AtMost($"start to /readyz, median of {Runs}", start.Median, "s", StartBudgetSeconds);
        Report.Figure($"  a bare ASP.NET application, median of {Runs}", bare.Median, "s");
        Report.AtMost($"idle resident memory of both, median of {Runs}", both.Median, "MiB", MemoryBudgetMebibytes);
        Report.Figure("  of mesh-silo", silo.Median, "MiB");
        Report.Figure("  of mesh-node", node.Median, "MiB");
    }

    private static async Task ReadyAsync(SiloUnderTest machine, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        using var tick = new PeriodicTimer(LookEvery);
        HttpClient? api = null;
        try
        {
            while (true)
            {
                await tick.WaitForNextTickAsync(limit.Token);
                try
                {
                    // Both files are written whole, the book of addresses last.
                    api ??= File.Exists(Path.Combine(machine.DataDir, "addresses.json")) && File.Exists(machine.Kubeconfig) ? machine.Api() : null;
                    if (api is not null)
                    {
                        using var answer = await api.GetAsync(new Uri("/readyz", UriKind.Relative), limit.Token);
                        if (answer.StatusCode == HttpStatusCode.OK)
                        {
                            return;
                        }
                    }
                }
                catch (Exception notYet) when (notYet is HttpRequestException or IOException)
                {
                    // It does not listen yet.
                }
            }
        }
        finally
        {
            api?.Dispose();
        }
    }
}
