using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>A node that is killed comes back from its journal, whether or not a silo can tell it anything.</summary>
public sealed class NodeKillTests
{
    private const int Kills = 5;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Five_kills_of_the_node_are_answered_from_its_journal_while_the_silo_is_stopped()
    {
        await using var served = await ServedMachine.StartAsync();
        var machine = served.Machine;
        var times = new List<TimeSpan>();

        for (var kill = 0; kill < Kills; kill++)
        {
            await WrittenJournal.OfAsync(machine);
            var killed = machine.NodePid;
            var began = Stopwatch.GetTimestamp();
            Signals.Kill(killed);
            await Eventually.Meets("another node", _ => Task.FromResult(PidOr(machine, killed)), pid => pid != killed, TimeSpan.FromSeconds(60));
            Signals.Stop(machine.Process.Pid);
            await served.UntilServedAsync();
            times.Add(Stopwatch.GetElapsedTime(began));
            Assert.Equal(served.WebIP, await DnsProbe.ResolveAsync(machine.Dns, "web.default.svc.cluster.local", Stop));

            // The streams come back by their uids, also without a silo.
            await served.RegisterAgainAsync();
            Signals.Continue(machine.Process.Pid);
            using var node = new HttpClient { BaseAddress = machine.NodeUrl };
            await Eventually.Is("the node is told everything", async stop => (await node.GetAsync("/readyz", stop)).StatusCode, HttpStatusCode.OK, TimeSpan.FromSeconds(60));
            await served.UntilServedAsync();
        }

        // How long it takes is a figure of the benchmarks (kills).
        TestContext.Current.TestOutputHelper?.WriteLine(
            "answered again after " + string.Join(", ", times.Select(time => time.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture) + " ms")));
    }

    /// <summary>Between two nodes there is no pid file.</summary>
    private static int PidOr(SiloUnderTest machine, int otherwise) =>
        File.Exists(Path.Combine(machine.DataDir, "node.pid")) ? machine.NodePid : otherwise;
}
