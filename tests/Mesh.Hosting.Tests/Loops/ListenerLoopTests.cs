using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Mesh.Agent;
using Mesh.Core;
using Mesh.Core.Descriptors;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.Listening;
using Mesh.Hosting.Files;
using Mesh.Node.Listening;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Hosting.Tests.Loops;

/// <summary>The loop that looks after the listeners of a node's options.</summary>
[Trait("Row", "DP-D4")]
public sealed class ListenerLoopTests : IDisposable
{
    private readonly string _root = TestDirectory.Make("mesh-listeners-");
    private readonly PlantedTime _time = new();
    private readonly WatchedLoops _loops = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "listeners of options")]
    public async Task Listeners_are_looked_after_after_an_exception_and_what_could_not_be_told_is_told()
    {
        var budget = new DescriptorBudget(10_000);
        var problems = new FaultyProblems();
        using var agent = new AgentService(
            new AgentIdentity(1, "boot"), null!, null!, null!, new Random(1), _loops.Loops, _time, NullLogger<AgentService>.Instance);
        await using var listeners = new NodeListeners(
            DataDirectory.Open(Path.Combine(_root, "data")),
            new Published<RoutingSnapshot>(RoutingSnapshot.Empty),
            new NoPlaces(),
            agent,
            problems,
            budget,
            null,
            new Random(1),
            _loops.Loops,
            _time,
            NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var running = _loops.Loops.RunAsync("listeners of options", listeners.RunAsync, stop.Token);
        var share = budget.Open("Planted", own: 0);
        await PassAsync(_loops.EndedAsync("listeners of options", Stop), share);
        await PassAsync(problems.Told.Reader.ReadAsync(Stop).AsTask(), share);
        await stop.CancelAsync();
        await running;
    }

    /// <summary>Seconds in each of which the share is asked for more than there is.</summary>
    private async Task PassAsync(Task until, DescriptorShare share)
    {
        while (!until.IsCompleted)
        {
            Assert.False(share.TryTake(1_000_000));
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await until;
    }

    /// <summary>The first cannot be told.</summary>
    private sealed class FaultyProblems : IPortProblems
    {
        private bool _hasFailed;

        public Channel<PortProblem> Told { get; } = Channel.CreateBounded<PortProblem>(100);

        public void Report(NamespacedName? service, PortProblem problem)
        {
            if (!_hasFailed)
            {
                _hasFailed = true;
                throw PlantedTime.Planted();
            }

            Told.Writer.TryWrite(problem);
        }

        public void Solved(PortProblem problem)
        {
            // Looked at by nobody.
        }
    }

    private sealed class NoPlaces : IFrontendPlaces
    {
        public ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> FindEndpointsAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop) => throw new NotSupportedException();

        public ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> ClaimAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop) => throw new NotSupportedException();

        public ValueTask ReleaseAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop) => throw new NotSupportedException();
    }
}
