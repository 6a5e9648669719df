using System.Diagnostics;
using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>
/// The publisher's end of one subscription: a set of dirty keys and one message in flight, acknowledged; what changes
/// meanwhile is folded into the next. A slow receiver costs no memory and no one else's time.
/// For one grain: not for two threads.
/// </summary>
/// <param name="forgotten">Told once, when nothing more will be sent: whoever keeps this outbox lets go of it.</param>
public sealed class Outbox<TKey, TRow>(
    StreamName stream,
    IOutboxSource<TKey, TRow> source,
    Func<Delta<TRow>, CancellationToken, Task<DeliveryAck>> send,
    OutboxSettings settings,
    Action<Outbox<TKey, TRow>>? forgotten = null) : IAsyncDisposable
    where TKey : notnull
{
    /// <summary>A receiver that neither takes messages nor renewed for this long is forgotten: three renewals missed.</summary>
    public static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(90);

    private readonly CancellationTokenSource _stop = new();
    private readonly Backoff _backoff = new(settings.Time, settings.Random);
    private HashSet<TKey> _dirty = [];
    private long _heard = settings.Time.GetTimestamp();
    private Task _pump = Task.CompletedTask;
    private long _acknowledged;
    private long _position;
    private bool _full;
    private bool _announce;
    private bool _isPumping;

    public StreamName Stream => stream;

    /// <summary>The receiver said Gone, or was silent for too long: nothing more is sent.</summary>
    public bool IsForgotten { get; private set; }

    /// <summary>Its pump has ended for good.</summary>
    public bool IsStopped => IsForgotten && _pump.IsCompleted;

    /// <summary>Its receiver has not been heard of for so long that it is taken for gone, though there was nothing to send to it.</summary>
    public bool IsSilent => settings.Time.GetElapsedTime(_heard) > ForgetAfter;

    /// <summary>Everything was told and acknowledged.</summary>
    public bool IsQuiet => !_isPumping && !HasWork;

    /// <summary>The newest full set that was made for the receiver said that it is whole.</summary>
    public bool HasToldSynced { get; private set; }

    private bool HasWork => _dirty.Count > 0 || _full || _announce;

    /// <summary>The answer to Subscribe.</summary>
    public Delta<TRow> Answer()
    {
        _acknowledged = ++_position;
        return Message(0, isFull: true, source.Rows());
    }

    public void Mark(TKey key)
    {
        _dirty.Add(key);
        Wake();
    }

    /// <summary>The whole set goes next: it became synced, or what it is computed from changed.</summary>
    public void MarkFull()
    {
        _full = true;
        Wake();
    }

    /// <summary>A message goes next even without a changed row: the spec's version moved on.</summary>
    public void Announce()
    {
        _announce = true;
        Wake();
    }

    /// <summary>The receiver follows still. A position beyond the acknowledged one is an acknowledgement that was lost.</summary>
    public RenewalAck Renew(long position)
    {
        _heard = settings.Time.GetTimestamp();
        if (IsForgotten || position > _position)
        {
            return RenewalAck.Resync;
        }

        _acknowledged = Math.Max(_acknowledged, position);
        return RenewalAck.Ok;
    }

    public async ValueTask DisposeAsync()
    {
        Forget();
        await _pump;
        _stop.Dispose();
    }

    public void Forget()
    {
        if (!IsForgotten)
        {
            IsForgotten = true;
            _stop.Cancel();
            forgotten?.Invoke(this);
        }
    }

    private void Wake()
    {
        if (!IsForgotten && !_isPumping)
        {
            _isPumping = true;
            _pump = settings.Loops.RunToEndAsync("outbox", PumpAsync, _stop.Token);
        }
    }

    private async Task PumpAsync(CancellationToken stop)
    {
        // Leave the caller's turn first: all rows of one call go in one message.
        await Task.Yield();
        while (HasWork && !stop.IsCancellationRequested)
        {
            await SendOnceAsync();
        }

        _isPumping = false; // in the turn that saw that nothing is left: the pump's task completes in a later one
    }

    private async Task SendOnceAsync()
    {
        var (keys, wasFull, wasAnnounced) = (_dirty, _full, _announce);
        (_dirty, _full, _announce) = ([], false, false);
        TRow[] rows;
        try
        {
            rows = wasFull ? source.Rows() : source.Rows(keys);
        }
        catch
        {
            MarkAgain(keys, wasFull, wasAnnounced); // for the pump's next run
            throw;
        }

        if (rows.Length == 0 && !wasFull && !wasAnnounced)
        {
            return;
        }

        // From is the last position known to have arrived, so a repeated message covers its lost predecessor.
        var from = _acknowledged;
        _position++;
        var message = Message(from, wasFull, rows);
        try
        {
            var ack = await send(message, _stop.Token);
            Acknowledge(ack, message.To);
            if (ack == DeliveryAck.Resync)
            {
                await _backoff.WaitAsync(_stop.Token);
            }
        }
#pragma warning disable CA1031 // The boundary of a delivery: whatever the receiver or the way to it threw, the same rows are sent again.
        catch (Exception failure) when (!_stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            MarkAgain(keys, wasFull, wasAnnounced);
            await FailedAsync(failure);
        }
    }

    private void MarkAgain(HashSet<TKey> keys, bool wasFull, bool wasAnnounced)
    {
        _dirty.UnionWith(keys);
        (_full, _announce) = (_full || wasFull, _announce || wasAnnounced);
    }

    private void Acknowledge(DeliveryAck ack, long position)
    {
        _heard = settings.Time.GetTimestamp();
        switch (ack)
        {
            case DeliveryAck.Ok:
                _acknowledged = Math.Max(_acknowledged, position);
                _backoff.Reset();
                break;
            case DeliveryAck.Gone:
                Forget();
                break;
            case DeliveryAck.Resync:
                _full = true;
                break;
            default:
                throw new UnreachableException();
        }
    }

    private Task FailedAsync(Exception failure)
    {
        if (IsSilent)
        {
            Forget();
            return Task.CompletedTask;
        }

        settings.Failed(stream.Receiver, failure);
        return _backoff.WaitAsync(_stop.Token);
    }

    private Delta<TRow> Message(long from, bool isFull, TRow[] rows)
    {
        HasToldSynced = isFull ? source.IsSynced : HasToldSynced;
        return new(stream, settings.Publisher, from, _position, isFull, source.IsSynced, source.ObjectUid, source.SpecVersion, rows);
    }
}
