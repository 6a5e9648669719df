using System.Diagnostics;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Loops;

namespace Mesh.Grains.Delivery;

/// <summary>How a receiver reaches the publisher of one subscription.</summary>
public interface ISubscriptionTarget<TRow>
{
    /// <summary>The object whose rows are wanted, when the subscription is opened.</summary>
    string ObjectUid { get; }

    Task<Delta<TRow>> SubscribeAsync(StreamName stream, CancellationToken stop);

    Task<RenewalAck> RenewAsync(Renewal renewal, CancellationToken stop);

    /// <summary>One way; a lost one is answered Gone later.</summary>
    Task UnsubscribeAsync(StreamName stream);
}

/// <summary>What the subscriptions of one receiver share.</summary>
/// <param name="Name">The activation, and which of its subscriptions: one that ends must not end its successor's stream.</param>
/// <param name="Gate">Bounds what is asked at once (64 for a gateway).</param>
/// <param name="MembershipChanged">The task that completes with the next change of membership.</param>
/// <param name="Failed">Told of each try that failed, for the log.</param>
/// <param name="Stop">The receiver's end, which is that of each of its subscriptions.</param>
public sealed record SubscriptionSettings(
    string Name,
    TimeProvider Time,
    Random Random,
    SemaphoreSlim Gate,
    ProcessLoops Loops,
    Func<Task> MembershipChanged,
    Action<Exception> Failed,
    CancellationToken Stop = default);

/// <summary>
/// One subscription of a receiver with its loop: subscribes until it is answered, renews every 20 to 30 s and at once
/// when membership changes. The only place that calls against the direction of delivery.
/// </summary>
public sealed class Subscription<TKey, TRow>(
    IRowKind<TKey, TRow> kind,
    ISubscriptionTarget<TRow> target,
    SubscriptionSettings settings,
    Action<RowsReceived<TRow>> onRows) : IAsyncDisposable
    where TKey : notnull
    where TRow : class
{
    // A publisher may move a moment after the event that told of it.
    private static readonly TimeSpan AfterMembershipChange = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(settings.Stop);
    private readonly Backoff _backoff = new(settings.Time, settings.Random);
    private readonly DeltaReceiver<TKey, TRow> _receiver = new(settings.Name, kind, settings.Time);
    private TaskCompletionSource _nudge = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;
    private bool _subscribeAgain = true;
    private bool _renewSoon;
    private bool _areRowsLost;

    public RowTable<TKey, TRow> Rows => _receiver.Rows;

    public bool IsSynced => _receiver.IsSynced;

    public bool IsFollowing => _receiver.IsFollowing;

    public long SpecVersion => _receiver.SpecVersion;

    /// <summary>From the grain's own turn, so that the loop runs in it.</summary>
    public void Start() => _loop = settings.Loops.RunAsync("subscription", RunAsync, _stop.Token);

    public DeliveryAck OnDelta(Delta<TRow> delta)
    {
        var (ack, rows) = _receiver.Receive(delta);
        if (rows is not null)
        {
            onRows(rows);
        }

        return ack;
    }

    public void RenewNow() => _nudge.TrySetResult();

    /// <summary>Opens the stream anew: what is wanted (the selector, the object) is another now.</summary>
    public void SubscribeAgain()
    {
        _subscribeAgain = true;
        _nudge.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        if (_receiver.Renewal is { } followed)
        {
            await target.UnsubscribeAsync(followed.Stream);
        }

        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        _areRowsLost = false;
        while (true)
        {
            _nudge = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var membership = settings.MembershipChanged();
            var isDone = await TryAsync();
            LeaveTheRequest();
            if (isDone)
            {
                _backoff.Reset();
                await WaitAsync(membership);
            }
            else
            {
                await _backoff.WaitAsync(stop);
            }
        }
    }

    /// <summary>
    /// The loop began in the turn of some request and goes on long after its answer: what it does from here is no part of
    /// that request, nor of its trace.
    /// </summary>
    private static void LeaveTheRequest()
    {
        Activity.Current = null;
        RequestContext.Clear();
    }

    /// <summary>One step: subscribe or renew. False: try again soon.</summary>
    private async Task<bool> TryAsync()
    {
        await settings.Gate.WaitAsync(_stop.Token);
        try
        {
            return _subscribeAgain || _receiver.Renewal is not { } renewal
                ? await SubscribeAsync()
                : await RenewAsync(renewal);
        }
#pragma warning disable CA1031 // The boundary of the loop: whatever the publisher or the way to it threw, it is asked again.
        catch (Exception failure) when (!_stop.IsCancellationRequested && !_areRowsLost)
#pragma warning restore CA1031
        {
            settings.Failed(failure);
            return false;
        }
        finally
        {
            settings.Gate.Release();
        }
    }

    private async Task<bool> SubscribeAsync()
    {
        _subscribeAgain = false;
        var stream = _receiver.BeginSubscribe(target.ObjectUid);
        var answer = await target.SubscribeAsync(stream, _stop.Token);
        if (_stop.IsCancellationRequested || _receiver.Answer(answer) is not { } rows)
        {
            return false;
        }

        HandOn(rows);
        return true;
    }

    /// <summary>Who could not take them gets all rows anew: that ends the loop, and is no fault of the publisher.</summary>
    private void HandOn(RowsReceived<TRow> rows)
    {
        try
        {
            onRows(rows);
        }
        catch
        {
            _subscribeAgain = _areRowsLost = true;
            throw;
        }
    }

    private async Task<bool> RenewAsync(Renewal renewal)
    {
        _receiver.Rows.Sweep();
        if (await target.RenewAsync(renewal, _stop.Token) == RenewalAck.Ok)
        {
            return true;
        }

        _subscribeAgain = true;
        return await SubscribeAsync();
    }

    private async Task WaitAsync(Task membership)
    {
        if (_subscribeAgain)
        {
            return;
        }

        var period = _renewSoon ? AfterMembershipChange : TimeSpan.FromSeconds(20 + (settings.Random.NextDouble() * 10));
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var timer = Task.Delay(period, settings.Time, waiting.Token);
        var first = await Task.WhenAny(timer, _nudge.Task, membership);
        End(waiting);
        _stop.Token.ThrowIfCancellationRequested();
        _renewSoon = first == membership;
    }

    // In this turn: CancelAsync would go on through the thread pool, and only a timer is cancelled here.
    private static void End(CancellationTokenSource waiting) => waiting.Cancel();
}
