using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// What is left of what came and went: 2,000 namespaces with a Service and ten Pods each are created and deleted, three times into
/// the same processes. Memory that is asked for once may be kept; what the third round adds to the second has leaked.
/// </summary>
internal static class GrowthBenchmark
{
    private const int Namespaces = 2_000;
    private const int PodsOfEach = 10;
    private const int Rounds = 3;
    private const int AtOnce = 16;
    private const double BudgetMebibytes = 30;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    // Idle activations of Pods go after 2 minutes, in rounds of one.
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(3.5);

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("growth: 2,000 namespaces, 2,000 Services and 20,000 Pods come and go");
        await using var cluster = await BenchCluster.StartAsync();
        var pids = new[] { ("mesh-silo", cluster.Silo.SiloPid), ("mesh-node", cluster.Silo.NodePid) };
        var (namespaces, services) = (await cluster.CountAsync("/api/v1/namespaces", stop), await cluster.CountAsync("/api/v1/services", stop));
        var before = pids.Select(static process => ProcessUse.ResidentMebibytes(process.Item2)).ToArray();
        for (var round = 1; round <= Rounds; round++)
        {
            await EachAsync((number, one) => CreateAsync(cluster, $"short-{number}", one), stop);
            Report.Figure($"round {round}: resident memory of mesh-silo with all", ProcessUse.ResidentMebibytes(cluster.Silo.SiloPid), "MiB");
            await EachAsync((number, one) => cluster.DeleteAsync($"/api/v1/namespaces/short-{number}", one), stop);
            await cluster.WaitForCountAsync("/api/v1/namespaces", namespaces, Limit, stop);
            await cluster.WaitForCountAsync("/api/v1/services", services, Limit, stop);
            await cluster.WaitForCountAsync("/api/v1/pods", 0, Limit, stop);
            await cluster.WaitForRestAsync(Limit, stop);
            using var idle = new PeriodicTimer(Idle, TimeProvider.System);
            await idle.WaitForNextTickAsync(stop);
            for (var i = 0; i < pids.Length; i++)
            {
                var now = ProcessUse.ResidentMebibytes(pids[i].Item2);
                if (round < Rounds)
                {
                    Report.Figure($"round {round}: resident memory of {pids[i].Item1} afterwards, more than before it by", now - before[i], "MiB");
                }
                else
                {
                    Report.AtMost($"round {round}: resident memory of {pids[i].Item1} afterwards, more than before it by", now - before[i], "MiB", BudgetMebibytes);
                }

                before[i] = now;
            }
        }
    }

    private static async Task CreateAsync(BenchCluster cluster, string name, CancellationToken stop)
    {
        await cluster.CreateAsync("/api/v1/namespaces", new { apiVersion = "v1", kind = "Namespace", metadata = new { name } }, stop);
        var service = new
        {
            apiVersion = "v1",
            kind = "Service",
            metadata = new { name = "web" },
            spec = new { selector = new { app = "web" }, ports = new[] { new { port = 8080 } } },
        };
        await cluster.CreateAsync($"/api/v1/namespaces/{name}/services", service, stop);
        for (var number = 0; number < PodsOfEach; number++)
        {
            var pod = new
            {
                apiVersion = "v1",
                kind = "Pod",
                metadata = new { name = $"pod-{number}", labels = new { app = "web" } },
                spec = new { nodeName = $"machine-{number}", containers = new[] { new { name = "main", image = "process" } } },
            };
            await cluster.CreateAsync($"/api/v1/namespaces/{name}/pods", pod, stop);
        }
    }

    private static Task EachAsync(Func<int, CancellationToken, Task> each, CancellationToken stop) => Parallel.ForAsync(
        0, Namespaces, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop }, async (number, one) => await each(number, one));
}
