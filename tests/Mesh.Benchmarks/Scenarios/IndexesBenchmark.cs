using System.Diagnostics;
using System.Globalization;
using System.Text;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// What many objects of a kind cost that are looked at one by one: Ingresses to which nothing happens, one Ingress that
/// changes, and Services that are deleted. Whoever lists all to find one shows as a cost per object that grows with their number.
/// </summary>
internal static class IndexesBenchmark
{
    private const int Changes = 200;
    private const int AtOnce = 16;

    /// <summary>Most that an object may cost more among many than among few.</summary>
    private const double Flat = 1.5;

    /// <summary>What an Ingress to which nothing happens may cost in a minute, in microseconds: one wake and one review.</summary>
    private const double BudgetIdle = 1_000;

    private static readonly int[] Ingresses = [1_000, 3_000];
    private static readonly int[] Services = [2_000, 10_000];
    private static readonly TimeSpan WakePeriod = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("indexes: Ingresses that rest and change, Services that are deleted");
        await using (var cluster = await BenchCluster.StartAsync())
        {
            await MeasureIngressesAsync(cluster, stop);
        }

        await using (var cluster = await BenchCluster.StartAsync())
        {
            await MeasureDeletionsAsync(cluster, stop);
        }
    }

    private static async Task MeasureIngressesAsync(BenchCluster cluster, CancellationToken stop)
    {
        await cluster.CreateServicesAsync(100, stop);
        await cluster.WaitForRestAsync(Limit, stop);
        var changed = new List<double>();
        await Reached.AfterAsync(WakePeriod, stop); // in its first minute a silo still compiles
        var empty = await CpuAsync(cluster, () => Reached.AfterAsync(WakePeriod, stop));
        Report.Figure("CPU of mesh-silo without an Ingress", empty / 1_000, "ms/min");
        var made = 0;
        foreach (var count in Ingresses)
        {
            var began = Stopwatch.GetTimestamp();
            await ForAllAsync(made, count, number => cluster.CreateAsync("/apis/networking.k8s.io/v1/namespaces/default/ingresses", Ingress(number), stop), stop);
            made = count;
            await cluster.WaitForRestAsync(Limit, stop);
            Report.Figure(Named(count, "Ingresses made, until nothing is written any more"), Stopwatch.GetElapsedTime(began).TotalSeconds, "s");

            var idle = await CpuAsync(cluster, () => Reached.AfterAsync(WakePeriod, stop));
            Report.Figure(Named(count, "Ingresses, CPU of mesh-silo idle"), idle / 1_000, "ms/min");
            Report.AtMost("  for each, above what it was without one", Math.Max(0, idle - empty) / count, "µs/min", BudgetIdle);
            changed.Add(await CpuAsync(cluster, () => ChangeAsync(cluster, count, stop)) / Changes);
            Report.Figure(Named(count, "Ingresses, CPU of mesh-silo for one change"), changed[^1], "µs");
        }

        Report.AtMost("a change among 3,000 Ingresses to one among 1,000", changed[1] / changed[0], "", Flat);
    }

    private static async Task MeasureDeletionsAsync(BenchCluster cluster, CancellationToken stop)
    {
        var each = new List<double>();
        foreach (var count in Services)
        {
            await cluster.CreateServicesAsync(count, stop);
            await cluster.WaitForRestAsync(Limit, stop);
            var began = Stopwatch.GetTimestamp();
            each.Add(await CpuAsync(cluster, async () =>
            {
                await ForAllAsync(0, count, number => DeleteAsync(cluster, $"service-{number}", stop), stop);
                Report.Figure(Named(count, "Services deleted, until the last answer"), Stopwatch.GetElapsedTime(began).TotalSeconds, "s");
                await cluster.WaitForRestAsync(Limit, stop);
            }) / count);
            Report.Figure(Named(count, "Services deleted, CPU of mesh-silo for each"), each[^1], "µs");
        }

        Report.AtMost("each of 10,000 deletions to each of 2,000", each[1] / each[0], "", Flat);
    }

    /// <summary>Processor time of the silo in microseconds while something runs.</summary>
    private static async Task<double> CpuAsync(BenchCluster cluster, Func<Task> run)
    {
        var before = ProcessUse.CpuMicroseconds(cluster.Silo.SiloPid);
        await run();
        return ProcessUse.CpuMicroseconds(cluster.Silo.SiloPid) - before;
    }

    /// <summary>Changes that are routed: the path of one Ingress after the other becomes another.</summary>
    private static async Task ChangeAsync(BenchCluster cluster, int count, CancellationToken stop)
    {
        for (var change = 0; change < Changes; change++)
        {
            var number = change * (count / Changes);
            var path = new Uri($"/apis/networking.k8s.io/v1/namespaces/default/ingresses/ingress-{number}", UriKind.Relative);
            using var patch = new StringContent(
                $$"""[{"op":"replace","path":"/spec/rules/0/http/paths/0/path","value":"/changed-{{count}}-{{change}}"}]""", Encoding.UTF8, "application/json-patch+json");
            using var response = await cluster.Api.PatchAsync(path, patch, stop);
            response.EnsureSuccessStatusCode();
        }
    }

    private static async Task DeleteAsync(BenchCluster cluster, string service, CancellationToken stop)
    {
        using var response = await cluster.Api.DeleteAsync(new Uri("/api/v1/namespaces/default/services/" + service, UriKind.Relative), stop);
        response.EnsureSuccessStatusCode();
    }

    private static Task ForAllAsync(int from, int to, Func<int, Task> run, CancellationToken stop) => Parallel.ForAsync(
        from, to, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop }, async (number, _) => await run(number));

    private static string Named(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}");

    private static object Ingress(int number) => new
    {
        apiVersion = "networking.k8s.io/v1",
        kind = "Ingress",
        metadata = new { name = $"ingress-{number}" },
        spec = new
        {
            rules = new[]
            {
                new
                {
                    host = $"host-{number}.example.com",
                    http = new
                    {
                        paths = new[]
                        {
                            new { path = "/", pathType = "Prefix", backend = new { service = new { name = $"service-{number % 100}", port = new { number = 8080 } } } },
                        },
                    },
                },
            },
        },
    };
}
