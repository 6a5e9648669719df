using System.Collections.Immutable;
using System.Threading.Channels;
using Grpc.Core;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>
/// One link, seen from the node. The reading loop never waits for the writing one: what must be said is state (the newest
/// acknowledgement, asked-for inventories, the outbox), so two ends that both write cannot block each other.
/// </summary>
internal sealed class NodeLinkSession(INodeLinkHandler handler, ReportOutbox outbox, ulong number, TimeProvider time, ILogger logger)
{
    internal static readonly TimeSpan PulseEvery = TimeSpan.FromSeconds(3);
    internal static readonly TimeSpan DigestEvery = TimeSpan.FromSeconds(25);

    private readonly Lock _gate = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly HashSet<string> _inventories = new(StringComparer.Ordinal);
    private ulong _applied;
    private bool _drained;

    public bool WasWelcomed { get; private set; }

    public async Task RunAsync(Link.LinkClient silo, CancellationToken stop)
    {
        using var session = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var call = silo.Session(cancellationToken: session.Token);
        await WelcomeAsync(call, session.Token);
        outbox.BeginLink();
        Task[] loops = [WriteAsync(call.RequestStream, session.Token), ForwardOutboxAsync(session.Token), ReadAsync(call.ResponseStream, session.Token)];
        try
        {
            await await Task.WhenAny(loops);
        }
        finally
        {
            await session.CancelAsync();
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WelcomeAsync(AsyncDuplexStreamingCall<FromNode, FromSilo> call, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(LinkLimits.Handshake, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        var hello = handler.Hello();
        hello.Link = number;
        await call.RequestStream.WriteAsync(new FromNode { Hello = hello }, either.Token);
        if (!await call.ResponseStream.MoveNext(either.Token) || call.ResponseStream.Current.Welcome is not { } welcome)
        {
            throw new FormatException("the silo did not answer with Welcome.");
        }

        await handler.OnWelcomeAsync(NodeOptionsDocument.Read(welcome.Options.Span), welcome.OptionsHash, welcome.KnownIncarnation, stop);
        WasWelcomed = true;
        _inventories.Add("");
        logger.Linked(welcome.Session);
    }

    private async Task ReadAsync(IAsyncStreamReader<FromSilo> messages, CancellationToken stop)
    {
        var draining = Task.CompletedTask;
        try
        {
            await foreach (var message in messages.ReadAllAsync(stop))
            {
                switch (message.BodyCase)
                {
                    case FromSilo.BodyOneofCase.Changes:
                        await handler.ApplyAsync(Read(message.Changes), message.Changes.Synced, stop);
                        Note(() => _applied = message.Changes.Sequence);
                        break;
                    case FromSilo.BodyOneofCase.ReportAck when outbox.Acknowledge(message.ReportAck) is { } report:
                        await handler.OnReportAckAsync(report, message.ReportAck, stop);
                        break;
                    case FromSilo.BodyOneofCase.InventoryRequest:
                        Note(() => _inventories.Add(message.InventoryRequest.Namespace));
                        break;
                    case FromSilo.BodyOneofCase.Drain when draining.IsCompleted:
                        draining = DrainAsync(TimeSpan.FromSeconds(message.Drain.Seconds), stop);
                        break;
                    default:
                        // A later silo may say more than this build knows, and an acknowledgement may come twice.
                        break;
                }
            }
        }
        finally
        {
            await draining.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task DrainAsync(TimeSpan within, CancellationToken stop)
    {
        await handler.DrainAsync(within, stop);
        Note(() => _drained = true);
    }

    private ImmutableArray<RoutingChange> Read(Changes message)
    {
        var changes = ImmutableArray.CreateBuilder<RoutingChange>(message.Changes_.Count);
        foreach (var change in message.Changes_)
        {
            try
            {
                changes.Add(WireFormat.FromWire(change));
            }
            catch (FormatException unreadable)
            {
                // One bad object must not keep a machine from all others.
                logger.ChangeUnreadable(unreadable.Message);
            }
        }

        return changes.DrainToImmutable();
    }

    private void Note(Action change)
    {
        lock (_gate)
        {
            change();
        }

        _wake.Writer.TryWrite(true);
    }

    private async Task ForwardOutboxAsync(CancellationToken stop)
    {
        while (await outbox.Changed.WaitToReadAsync(stop))
        {
            outbox.Changed.TryRead(out _);
            _wake.Writer.TryWrite(true);
        }
    }

    private async Task WriteAsync(IClientStreamWriter<FromNode> silo, CancellationToken stop)
    {
        var nextPulse = time.GetTimestamp();
        var nextDigest = Later(DigestEvery);
        ulong acknowledged = 0;
        await using var timer = time.CreateTimer(_ => _wake.Writer.TryWrite(true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        while (true)
        {
            var (applied, inventories, drained) = TakeNotes();
            if (applied > acknowledged)
            {
                await silo.WriteAsync(new FromNode { Ack = new ChangesAck { Sequence = acknowledged = applied } }, stop);
            }

            foreach (var ns in inventories)
            {
                await WriteInventoryAsync(silo, ns, stop);
            }

            foreach (var problem in handler.TakePortProblems())
            {
                await silo.WriteAsync(new FromNode { PortProblem = problem }, stop);
            }

            var askAfter = await WriteReportsAsync(silo, stop);
            if (IsDue(nextPulse))
            {
                await silo.WriteAsync(new FromNode { Pulse = new Pulse() }, stop);
                nextPulse = Later(PulseEvery);
            }

            if (IsDue(nextDigest))
            {
                await WriteDigestsAsync(silo, stop);
                nextDigest = Later(DigestEvery);
            }

            if (drained)
            {
                await silo.WriteAsync(new FromNode { Drained = new Drained() }, stop);
            }

            timer.Change(Shortest(Until(nextPulse), Until(nextDigest), askAfter), Timeout.InfiniteTimeSpan);
            await _wake.Reader.ReadAsync(stop);
        }
    }

    private (ulong Applied, string[] Inventories, bool Drained) TakeNotes()
    {
        lock (_gate)
        {
            // A request for all namespaces answers every other one.
            string[] inventories = _inventories.Contains("") ? [""] : [.. _inventories];
            _inventories.Clear();
            var drained = _drained;
            _drained = false;
            return (_applied, inventories, drained);
        }
    }

    private async Task<TimeSpan?> WriteReportsAsync(IClientStreamWriter<FromNode> silo, CancellationToken stop)
    {
        TimeSpan? askAfter;
        while (outbox.Take(out askAfter) is { } report)
        {
            await silo.WriteAsync(new FromNode { Report = report }, stop);
        }

        return askAfter;
    }

    private async Task WriteInventoryAsync(IClientStreamWriter<FromNode> silo, string ns, CancellationToken stop)
    {
        var inventory = handler.Inventory(ns);
        foreach (var part in ChangeBatches.Of(inventory.Counter, inventory.Pods))
        {
            part.Namespace = ns;
            await silo.WriteAsync(new FromNode { Inventory = part }, stop);
        }
    }

    private async Task WriteDigestsAsync(IClientStreamWriter<FromNode> silo, CancellationToken stop)
    {
        foreach (var group in handler.Inventory("").Pods.GroupBy(pod => pod.Namespace, StringComparer.Ordinal))
        {
            await silo.WriteAsync(new FromNode { Digest = PodDigest.Of(group.Key, group.Select(pod => (pod.Name, pod.Uid, pod.Liveness))) }, stop);
        }
    }

    private static TimeSpan Shortest(TimeSpan first, TimeSpan second, TimeSpan? third)
    {
        var shortest = first < second ? first : second;
        return third is { } other && other < shortest ? other : shortest;
    }

    private bool IsDue(long at) => time.GetTimestamp() >= at;

    private long Later(TimeSpan after) => time.GetTimestamp() + (long)(after.TotalSeconds * time.TimestampFrequency);

    private TimeSpan Until(long at)
    {
        var left = time.GetElapsedTime(time.GetTimestamp(), at);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
