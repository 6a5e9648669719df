using System.Collections.Immutable;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>One node's link, seen from the silo: tells it what to route and hands on what it reports.</summary>
public sealed class LinkSession : IAsyncDisposable
{
    private readonly ILinkSessionHandler _handler;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<FromSilo> _outgoing = Channel.CreateBounded<FromSilo>(LinkLimits.ReportsInFlight);
    private readonly SemaphoreSlim _oneInFlight = new(1);
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _gate = new();
    private readonly HashSet<string> _inventoriesWanted = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ReportLanes _reports;
    private TaskCompletionSource? _ack;
    private ulong _sequence;
    private long _lastHeard;

    internal LinkSession(Hello hello, string id, ILinkSessionHandler handler, TimeProvider time, ILogger logger)
    {
        Hello = hello;
        Id = id;
        Ended = _ended.Token;
        _handler = handler;
        _time = time;
        _logger = logger;
        _lastHeard = time.GetTimestamp();
        _reports = new ReportLanes(this, handler, logger);
    }

    /// <summary>Unlike any other session's, also of other silos.</summary>
    public string Id { get; }

    /// <summary>Who the node says it is.</summary>
    public Hello Hello { get; }

    /// <summary>Cancelled when nothing more can be told or heard.</summary>
    public CancellationToken Ended { get; }

    /// <summary>
    /// Whether an earlier start of the node was numbered as this one, or above it: then nothing that it reports would be
    /// believed, and it starts again with a greater number as soon as it is told.
    /// </summary>
    public bool IsOutnumberedBy(uint knownIncarnation) => IncarnationRule.IsOutnumbered(Hello, knownIncarnation);

    /// <summary>How long the node has said nothing; a living one sends a pulse every 3 s.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _lastHeard));

    /// <summary>The first thing to say: the options that the node is to run with.</summary>
    /// <param name="knownIncarnation">The greatest that this node was ever known by.</param>
    public Task WelcomeAsync(NodeOptions options, uint knownIncarnation, CancellationToken stop)
    {
        var document = NodeOptionsDocument.Write(options);
        return SendAsync(
            new FromSilo
            {
                Welcome = new Welcome
                {
                    Options = UnsafeByteOperations.UnsafeWrap(document),
                    OptionsHash = NodeOptionsDocument.Hash(document),
                    Session = Id,
                    KnownIncarnation = knownIncarnation,
                },
            },
            stop);
    }

    /// <summary>Completes when the node has published a snapshot with these changes. Calls wait for one another.</summary>
    /// <exception cref="LinkLostException">The link is gone; nothing more will be delivered.</exception>
    public async Task ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, Ended);
        try
        {
            await _oneInFlight.WaitAsync(either.Token);
            try
            {
                foreach (var batch in ChangeBatches.Of(changes, synced))
                {
                    await DeliverAsync(batch, either.Token);
                }
            }
            finally
            {
                _oneInFlight.Release();
            }
        }
        catch (OperationCanceledException) when (Ended.IsCancellationRequested)
        {
            throw new LinkLostException(Id);
        }
    }

    /// <summary>Asks the node for its inventory of one namespace, or of all (empty). What is asked twice is answered once.</summary>
    public void RequestInventory(string ns)
    {
        lock (_gate)
        {
            _inventoriesWanted.Add(ns);
        }

        // When it is full the writer is about to look anyway.
        _outgoing.Writer.TryWrite(new FromSilo());
    }

    /// <summary>Asks the node to drain and end itself; completes when it says that it has drained.</summary>
    /// <exception cref="LinkLostException">The node left without a word.</exception>
    public async Task DrainAsync(TimeSpan within, CancellationToken stop)
    {
        await SendAsync(new FromSilo { Drain = new Drain { Seconds = (int)Math.Ceiling(within.TotalSeconds) } }, stop);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, Ended);
            await _drained.Task.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (Ended.IsCancellationRequested && !_drained.Task.IsCompleted)
        {
            throw new LinkLostException(Id);
        }
    }

    /// <summary>Ends it. What its holders still call answers with <see cref="LinkLostException"/>, so nothing here is disposed that a call uses.</summary>
    public async ValueTask DisposeAsync() => await _ended.CancelAsync();

    internal async Task SendAsync(FromSilo message, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, Ended);
        try
        {
            await _outgoing.Writer.WriteAsync(message, either.Token);
        }
        catch (OperationCanceledException) when (Ended.IsCancellationRequested)
        {
            throw new LinkLostException(Id);
        }
    }

    /// <summary>Runs until one side ends it; returns why.</summary>
    internal async Task<string> RunAsync(IAsyncStreamReader<FromNode> node, IServerStreamWriter<FromSilo> silo, CancellationToken over)
    {
        await using var ending = over.Register(() => _ended.Cancel());
        var reading = ReadAsync(node);
        var writing = WriteAsync(silo);
        var handling = HandleAsync();
        var reporting = _reports.RunAsync(Ended);
        var first = await Task.WhenAny(reading, writing, handling, reporting);
        var isOver = over.IsCancellationRequested;
        await _ended.CancelAsync();
        await Task.WhenAll(reading, writing, handling, reporting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (isOver)
        {
            return "the connection closed, or the silo stops.";
        }

        // Of a call that has ended, gRPC says to its writer only that it may not write.
        var fault = Fault(reading) ?? Fault(reporting) ?? (Fault(writing) is { } failed and not InvalidOperationException ? failed : null);
        if (fault is not null)
        {
            _logger.SessionFailed(fault, Id);
            return $"it met an exception ({fault.GetType().Name}).";
        }

        return first == handling ? "the silo is done with it." : "the node left.";
    }

    /// <summary>What ended it that is not the end of the connection, however that ended.</summary>
    private static Exception? Fault(Task part) =>
        part.Exception?.InnerExceptions.FirstOrDefault(static one => one is not (OperationCanceledException or LinkLostException or IOException or RpcException));

    private async Task HandleAsync()
    {
        try
        {
            await _handler.RunAsync(this);
        }
        catch (Exception ending) when (ending is OperationCanceledException or LinkLostException && Ended.IsCancellationRequested)
        {
            // The usual end.
        }
#pragma warning disable CA1031 // The boundary of foreign code: whatever went wrong in it ends this session only, and the node links again.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            _logger.SessionHandlerFailed(failed, Id);
        }
    }

    private async Task DeliverAsync(Changes batch, CancellationToken stop)
    {
        var ack = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            batch.Sequence = ++_sequence;
            _ack = ack;
        }

        await _outgoing.Writer.WriteAsync(new FromSilo { Changes = batch }, stop);
        await ack.Task.WaitAsync(stop);
    }

    private void Acknowledge(ulong sequence)
    {
        lock (_gate)
        {
            // An older number acknowledges a batch whose caller gave up: the newer one is still on its way.
            if (sequence == _sequence)
            {
                _ack?.TrySetResult();
            }
        }
    }

    /// <summary>Waits for nothing but the node: acknowledgements and pulses stand behind whatever it says else.</summary>
    private async Task ReadAsync(IAsyncStreamReader<FromNode> node)
    {
        var parts = new InventoryParts();
        while (await node.MoveNext(Ended))
        {
            Volatile.Write(ref _lastHeard, _time.GetTimestamp());
            var message = node.Current;
            switch (message.BodyCase)
            {
                case FromNode.BodyOneofCase.Report:
                    _reports.Put(message.Report);
                    break;
                case FromNode.BodyOneofCase.Inventory when parts.Add(message.Inventory) is { } whole:
                    _handler.OnInventory(this, whole);
                    break;
                case FromNode.BodyOneofCase.Ack:
                    Acknowledge(message.Ack.Sequence);
                    break;
                case FromNode.BodyOneofCase.Digest:
                    _handler.OnDigest(this, message.Digest);
                    break;
                case FromNode.BodyOneofCase.PortProblem:
                    _handler.OnPortProblem(this, message.PortProblem);
                    break;
                case FromNode.BodyOneofCase.Drained:
                    _drained.TrySetResult();
                    break;
                default:
                    // A pulse, or what a later node says.
                    break;
            }
        }
    }

    private async Task WriteAsync(IServerStreamWriter<FromSilo> silo)
    {
        await foreach (var message in _outgoing.Reader.ReadAllAsync(Ended))
        {
            if (message.BodyCase != FromSilo.BodyOneofCase.None)
            {
                await silo.WriteAsync(message, Ended);
            }

            foreach (var ns in TakeInventoriesWanted())
            {
                await silo.WriteAsync(new FromSilo { InventoryRequest = new InventoryRequest { Namespace = ns } }, Ended);
            }
        }
    }

    private string[] TakeInventoriesWanted()
    {
        lock (_gate)
        {
            if (_inventoriesWanted.Count == 0)
            {
                return [];
            }

            string[] wanted = [.. _inventoriesWanted];
            _inventoriesWanted.Clear();
            return wanted;
        }
    }
}
