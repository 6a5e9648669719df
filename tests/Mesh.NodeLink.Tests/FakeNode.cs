using System.Collections.Immutable;
using System.Threading.Channels;
using Mesh.Core.Routing;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.NodeLink.Tests;

/// <summary>What a node does with a link, seen by the test; its client runs until disposed.</summary>
internal sealed class FakeNode : INodeLinkHandler, IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <param name="pods">What it holds: known before it links, which it does at once.</param>
    public FakeNode(string socket, params PodState[] pods)
        : this(socket, TestClock.Machine, pods)
    {
    }

    public FakeNode(string socket, TimeProvider time, params PodState[] pods)
    {
        Pods = [.. pods];
        Outbox = new ReportOutbox(time);
        var client = new LinkClient(socket, this, Outbox, time, NullLogger<LinkClient>.Instance) { KeepAlive = TimeSpan.FromSeconds(1) };
        _running = Loops.Loops.RunAsync("link", client.RunAsync, _stop.Token);
    }

    public WatchedLoops Loops { get; } = new();

    public ReportOutbox Outbox { get; }

    public Channel<(ImmutableArray<RoutingChange> Changes, bool Synced)> Applied { get; } =
        Channel.CreateBounded<(ImmutableArray<RoutingChange> Changes, bool Synced)>(1000);

    public Channel<(PodReport Report, ReportAck Ack)> Acks { get; } = Channel.CreateBounded<(PodReport Report, ReportAck Ack)>(100_000);

    public Channel<NodeOptions> Welcomes { get; } = Channel.CreateBounded<NodeOptions>(100);

    public Channel<bool> Losses { get; } = Channel.CreateBounded<bool>(100);

    public ImmutableArray<PodState> Pods { get; }

    /// <summary>What the next changes meet.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Changes are published only when <see cref="MayPublish"/> is released.</summary>
    public bool HoldsBack { get; set; }

    public SemaphoreSlim MayPublish { get; } = new(0);

    public Hello Hello() => new() { NodeName = "n1", Build = "test", Incarnation = 1 };

    public async ValueTask OnWelcomeAsync(NodeOptions options, ulong optionsHash, uint knownIncarnation, CancellationToken stop) => await Welcomes.Writer.WriteAsync(options, stop);

    public async ValueTask ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
    {
        if (Fault is { } fault)
        {
            Fault = null;
            throw fault;
        }

        await Applied.Writer.WriteAsync((changes, synced), stop);
        if (HoldsBack)
        {
            await MayPublish.WaitAsync(stop);
        }
    }

    public async ValueTask OnReportAckAsync(PodReport report, ReportAck ack, CancellationToken stop) => await Acks.Writer.WriteAsync((report, ack), stop);

    public NodeInventory Inventory(string ns) => new(7, [.. Pods.Where(pod => ns.Length == 0 || pod.Namespace == ns)]);

    public Task DrainAsync(TimeSpan within, CancellationToken stop) => Task.CompletedTask;

    public void OnLinkLost() => Losses.Writer.TryWrite(true);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        MayPublish.Dispose();
    }
}
