using System.Collections.Immutable;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.Listening;
using Mesh.Node.Routing;
using Mesh.NodeLink;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Hosting.Tests.Loops;

/// <summary>The node's one loop that owns the snapshot.</summary>
[Trait("Row", "DP-D4")]
public sealed class RoutingLoopTests : IDisposable
{
    private static readonly NodeOptions Options = new()
    {
        NodeName = "n1",
        Advertise = "127.0.0.1",
        NodeListen = "127.0.0.1:6480",
        IngressHttp = "127.0.0.1:8080",
        DnsListen = "127.0.0.1:10053",
        ServiceCidr = "127.96.0.0/16",
        PodCidr = "127.80.0.0/16",
        ClusterDomain = "cluster.local",
        LogLevel = "info",
        ReservedEndpoints = [],
    };

    private readonly WatchedLoops _loops = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _ends = [];
    private readonly RoutingLoop _loop;
    private readonly Task _running;
    private bool _tellingFails;

    public RoutingLoopTests()
    {
        _loop = new RoutingLoop(
            new Published<RoutingSnapshot>(RoutingSnapshot.Empty),
            Tell,
            static _ => { },
            new NoProblems(),
            TimeProvider.System,
            NullLogger<RoutingLoop>.Instance);
        _running = _loops.Loops.RunOrEndProcessAsync("routing", _loop.RunAsync, _ends.Add, _stop.Token);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_change_that_throws_is_its_callers_and_the_next_one_is_published()
    {
        await _loop.BeginResyncAsync(Options, Stop);
        await Assert.ThrowsAnyAsync<Exception>(() => _loop.ReleaseAsync(default, Stop).AsTask()); // no caller does so
        await _loop.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, Stop);
        Assert.True(_loop.Current.IsSynced);
        Assert.Empty(_loops.Lines);
        await _stop.CancelAsync();
        await _running;
        Assert.Empty(_ends);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_change_of_the_silo_that_throws_keeps_back_none_that_came_with_it()
    {
        await _loop.BeginResyncAsync(Options, Stop);
        await _loop.ApplyAsync([null!, new RoutingChange.NamespaceExists("default", true)], synced: true, Stop); // no silo tells so
        Assert.True(_loop.Current.IsSynced);
        Assert.Contains("default", _loop.Current.Namespaces);
        await _stop.CancelAsync();
        await _running;
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "routing")]
    public async Task Publishing_that_throws_ends_the_process_and_leaves_nobody_waiting()
    {
        await _loop.BeginResyncAsync(Options, Stop);
        _tellingFails = true;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _loop.ApplyAsync([new RoutingChange.DefaultCertificate(new byte[] { 1 })], synced: false, Stop).AsTask());
        await _running;
        Assert.Equal(["its loop 'routing' ended unexpectedly: InvalidOperationException: planted"], _ends);
        Assert.Equal("the loop 'routing' is down (InvalidOperationException); the log says why", _loops.Loops.WhyNotReady());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _loop.BeginResyncAsync(Options, Stop).AsTask()); // later ones as well
    }

    private void Tell(ImmutableArray<NamespacedName> services)
    {
        if (_tellingFails)
        {
            throw PlantedTime.Planted();
        }
    }

    public void Dispose()
    {
        _loop.Dispose();
        _stop.Dispose();
    }

    private sealed class NoProblems : IPortProblems
    {
        public void Report(NamespacedName? service, PortProblem problem) => throw new NotSupportedException();

        public void Solved(PortProblem problem) => throw new NotSupportedException();
    }
}
