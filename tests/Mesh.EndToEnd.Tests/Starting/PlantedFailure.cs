using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>Tests that fail, run by <see cref="NothingIsLeftTests"/> in a process of their own and by nobody else.</summary>
public sealed class PlantedFailure
{
    public const string Up = "everything is up";

    [Fact(Explicit = true, Timeout = 300_000)]
    public async Task Throws()
    {
        var served = await ServedMachine.StartAsync();
        Assert.Fail($"{Up}, and is not disposed: node {served.Machine.NodePid}");
    }

    [Fact(Explicit = true, Timeout = 20_000)]
    public async Task Is_given_up_by_its_time_out()
    {
        var machine = await SiloUnderTest.StartNewAsync();
        await using var echo = new TcpEcho();
        TestContext.Current.SendDiagnosticMessage($"{Up}: node {machine.NodePid}");
        await new TaskCompletionSource().Task; // does not look at its token
    }

    [Fact(Explicit = true, Timeout = 300_000)]
    public async Task Is_killed_with_its_process()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        await using var soup = ProcessUnderTest.Start(
            BuiltProgram.Path("Soup", "Soup"), [], new Dictionary<string, string> { ["MESH_NODE_URL"] = machine.NodeUrl.ToString(), ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" });
        Signals.Stop(machine.NodePid); // not even one that is stopped stays
        Signals.Kill(Environment.ProcessId);
        await new TaskCompletionSource().Task;
    }
}
