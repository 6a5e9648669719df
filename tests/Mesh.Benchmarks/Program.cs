using System.Globalization;
using Mesh.Benchmarks.Peers;
using Mesh.Benchmarks.Scenarios;

namespace Mesh.Benchmarks;

/// <summary>One scenario a command; the peers that this program is itself are further commands, for its own use.</summary>
internal static class Program
{
    private static readonly (string Name, Func<CancellationToken, Task> RunAsync)[] Scenarios =
    [
        ("start", StartBenchmark.RunAsync),
        ("kills", KillsBenchmark.RunAsync),
        ("l7", L7Benchmark.RunAsync),
        ("tls", TlsBenchmark.RunAsync),
        ("l4", L4Benchmark.RunAsync),
        ("dns", DnsBenchmark.RunAsync),
        ("discovery", DiscoveryBenchmark.RunAsync),
        ("registrations", RegistrationsBenchmark.RunAsync),
        ("api", ApiBenchmark.RunAsync),
        ("indexes", IndexesBenchmark.RunAsync),
        ("memory", MemoryBenchmark.RunAsync),
        ("changes", ChangesBenchmark.RunAsync),
        ("propagation", PropagationBenchmark.RunAsync),
    ];

    // Long, and of interest beside another run of the same: not among all.
    private static readonly (string Name, Func<CancellationToken, Task> RunAsync)[] Further =
    [
        ("memory-conserving", MemoryBenchmark.RunConservingAsync),
        ("memory-limited", MemoryBenchmark.RunLimitedAsync),
        ("growth", GrowthBenchmark.RunAsync),
    ];

    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case [BareWeb.YarpRole, var port]:
                await BareWeb.RunYarpAsync(int.Parse(port, CultureInfo.InvariantCulture));
                return 0;
            case [BareWeb.AspNetRole]:
                await BareWeb.RunAspNetAsync();
                return 0;
            case [var name] when name == "all" || Scenarios.Concat(Further).Any(scenario => scenario.Name == name):
                return await RunAsync(name);
            default:
                Console.Error.WriteLine($"Which one? {string.Join(", ", Scenarios.Concat(Further).Select(scenario => scenario.Name))} or all.");
                return 2;
        }
    }

    private static async Task<int> RunAsync(string name)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            stop.Cancel();
        };
        var failed = 0;
        foreach (var scenario in name == "all" ? Scenarios : Scenarios.Concat(Further).Where(scenario => scenario.Name == name))
        {
            try
            {
                await scenario.RunAsync(stop.Token);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return 130;
            }
            catch (Exception broken) when (broken is InvalidOperationException or HttpRequestException or TimeoutException or IOException or System.Net.Sockets.SocketException)
            {
                // What broke is a finding too; the others go on.
                Console.WriteLine($"{scenario.Name} FAILED: {broken.Message}");
                failed++;
            }
        }

        return failed == 0 ? 0 : 1;
    }
}
