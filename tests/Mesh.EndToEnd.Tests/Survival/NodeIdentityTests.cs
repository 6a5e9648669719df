using System.Text.Json;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>Which node a silo keeps, which it replaces, and what a node is that lost its memory.</summary>
public sealed class NodeIdentityTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_node_that_lost_its_journal_counts_on_from_what_the_store_knows_and_its_Pods_become_ready()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        await using var web = await EchoBackend.StartAsync("web", Stop);
        await UntilReadyAsync(machine, "first", web);
        Assert.Equal(0, await machine.StopAsync(Stop));

        File.Delete(Path.Combine(machine.DataDir, "node.journal"));
        await machine.StartAsync();

        await UntilReadyAsync(machine, "first", web);
        await UntilReadyAsync(machine, "second", web);
        Assert.Contains("an earlier start of this node was number 1, this one is 1", machine.NodeLog, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_node_that_lost_its_journal_beside_a_living_silo_counts_on_too()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        await using var web = await EchoBackend.StartAsync("web", Stop);
        await UntilReadyAsync(machine, "first", web);
        var first = machine.NodePid;

        File.Delete(Path.Combine(machine.DataDir, "node.journal"));
        Signals.Kill(first);

        await Eventually.Is(
            "the node has noticed", () => machine.NodeLog.Contains("an earlier start of this node was number 1, this one is 1", StringComparison.Ordinal), true, Soon);
        await Eventually.Is("its next start", () => machine.NodeLog.Contains("incarnation 2", StringComparison.Ordinal), true, Soon);
        await UntilReadyAsync(machine, "second", web);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_node_of_another_build_is_drained_and_replaced_and_its_Pods_stay()
    {
        using var other = new OtherBuild();
        await using var served = await ServedMachine.StartAsync();
        var machine = served.Machine;
        var old = machine.NodePid;

        await machine.KillSiloAsync(Stop);
        machine.Program = other.Silo;
        await machine.StartAsync();

        Assert.NotEqual(old, machine.NodePid);
        Assert.True(Signals.HasEnded(old));
        Assert.Contains("mesh-node ends: it was asked to by a signal", machine.NodeLog, StringComparison.Ordinal);
        await served.RegisterAgainAsync();
        await served.UntilServedAsync();

        var kept = machine.NodePid;
        await machine.KillSiloAsync(Stop);
        await machine.StartAsync();
        Assert.Equal(kept, machine.NodePid);
    }

    private static async Task UntilReadyAsync(SiloUnderTest machine, string name, EchoBackend web)
    {
        RegisteredPod? pod = null;
        await Eventually.Is(
            $"{name} is registered",
            async stop =>
            {
                pod = await RegisteredPod.RegisterAsync(machine.NodeUrl, "default", name, new { ports = new[] { new { name = "main", containerPort = web.Port } } }, stop);
                return true;
            },
            true,
            Soon);
        await using var registered = pod;
        using var api = machine.Api();
        await Eventually.Is(
            $"{name} is ready in the API",
            async stop =>
            {
                using var answer = JsonDocument.Parse(await api.GetStringAsync($"/api/v1/namespaces/default/pods/{name}", stop));
                return answer.RootElement.GetProperty("metadata").GetProperty("uid").GetString() == registered!.Uid
                    && answer.RootElement.TryGetProperty("status", out var status) && status.TryGetProperty("conditions", out var conditions)
                    && conditions.EnumerateArray().Any(condition =>
                        condition.GetProperty("type").GetString() == "Ready" && condition.GetProperty("status").GetString() == "True");
            },
            true,
            Soon);
    }

    /// <summary>A copy of the programs whose node has one package more in its list, so that it is another build.</summary>
    private sealed class OtherBuild : IDisposable
    {
        private readonly string _folder = TestDirectory.Make("mesh-build-");

        public OtherBuild()
        {
            var from = Path.GetDirectoryName(BuiltProgram.Silo)!;
            foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            {
                var to = Path.Combine(_folder, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(file, to);
            }

            File.AppendAllText(Path.Combine(_folder, "node", "mesh-node.deps.json"), "\n");
        }

        public string Silo => Path.Combine(_folder, "mesh-silo");

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
