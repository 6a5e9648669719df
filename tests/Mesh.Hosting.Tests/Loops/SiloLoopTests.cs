using Mesh.Silo.Links;
using Mesh.Silo.Nodes;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Hosting.Tests.Loops;

/// <summary>The loops with which a silo looks after its node.</summary>
[Trait("Row", "CP-D8")]
public sealed class SiloLoopTests
{
    private readonly PlantedTime _time = new();
    private readonly WatchedLoops _loops = new();
    private readonly NodeSupervisor _supervisor;

    public SiloLoopTests() => _supervisor = new NodeSupervisor(null!, null!, _time, NullLogger<NodeSupervisor>.Instance);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "readiness of the node")]
    public async Task Readiness_of_the_node_is_looked_at_after_an_exception()
    {
        using var stop = new CancellationTokenSource();
        using var readiness = new NodeReadiness(new Uri("http://127.0.0.1:1"), new OpenLinks(), _supervisor, _time);
        _time.FailTimers(1, static (_, _) => true);
        var looking = _loops.Loops.RunAsync("readiness of the node", readiness.RunAsync, stop.Token);
        await _loops.EndedAsync("readiness of the node", Stop);
        await _time.NextTimerAsync(Stop); // the pause before the next look
        Assert.Equal("mesh-node has not linked, or has not been told everything yet", readiness.WhyNot());
        await stop.CancelAsync();
        await looking;
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "supervisor of the node")]
    public async Task The_supervisor_goes_on_after_an_exception()
    {
        using var stop = new CancellationTokenSource();
        _time.FailTimestamps(2); // where it begins: it comes no further, in this run and the next
        var supervising = _loops.Loops.RunAsync("supervisor of the node", _supervisor.RunAsync, stop.Token);
        while (_time.TimestampsToFail > 0)
        {
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        await stop.CancelAsync();
        await supervising;
    }
}
