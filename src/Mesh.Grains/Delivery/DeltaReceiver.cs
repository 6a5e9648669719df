using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>
/// The receiver's end of a hop, without its loop: names the streams, follows only the newest, merges rows by their
/// orders. For one grain: not for two threads.
/// </summary>
public sealed class DeltaReceiver<TKey, TRow>(string activationId, IRowKind<TKey, TRow> kind, TimeProvider time)
    where TKey : notnull
    where TRow : class
{
    private StreamName _stream = new(activationId, 0);
    private string? _publisher;
    private long _position;
    private bool _isSynced;

    /// <summary>What has been received, tombstones included; kept from one stream to the next.</summary>
    public RowTable<TKey, TRow> Rows { get; } = new(kind, time);

    /// <summary>The object whose rows are wanted; rows for another are answered Gone.</summary>
    public string ObjectUid { get; private set; } = "";

    /// <summary>The followed publisher has told its whole set, knowing that it is whole.</summary>
    public bool IsSynced => _isSynced && IsFollowing;

    public long SpecVersion { get; private set; }

    public bool IsFollowing => _publisher is not null;

    /// <summary>The word of renewal, null while nothing is followed.</summary>
    public Renewal? Renewal => _publisher is null ? null : new Renewal(_stream, _publisher, _position, ObjectUid);

    /// <summary>Names a new stream, from now on the only one that is followed.</summary>
    public StreamName BeginSubscribe(string objectUid)
    {
        ObjectUid = objectUid;
        _stream = _stream with { Number = _stream.Number + 1 };
        _publisher = null;
        _position = 0;
        return _stream;
    }

    /// <summary>The answer to Subscribe; null when it is not to the newest one, or rows for another object.</summary>
    public RowsReceived<TRow>? Answer(Delta<TRow> answer)
    {
        if (answer.Stream != _stream || answer.ObjectUid != ObjectUid)
        {
            return null;
        }

        // A full set may have overtaken the answer to its own Subscribe; then the answer is old news.
        return IsFollowing ? Nothing() : Follow(answer);
    }

    public (DeliveryAck Ack, RowsReceived<TRow>? Rows) Receive(Delta<TRow> delta)
    {
        if (delta.Stream != _stream || delta.ObjectUid != ObjectUid || _stream.Number == 0)
        {
            return (DeliveryAck.Gone, null);
        }

        if (!IsFollowing)
        {
            return delta.IsFull ? (DeliveryAck.Ok, Follow(delta)) : (DeliveryAck.Resync, null);
        }

        if (delta.Publisher != _publisher)
        {
            return (DeliveryAck.Gone, null);
        }

        if (delta.To <= _position)
        {
            return (DeliveryAck.Ok, null);
        }

        // Rows are the newest of their keys, so a message from before the position covers what was received already.
        return delta.IsFull || delta.From <= _position
            ? (DeliveryAck.Ok, Apply(delta))
            : (DeliveryAck.Resync, null);
    }

    private RowsReceived<TRow> Follow(Delta<TRow> full)
    {
        _publisher = full.Publisher;
        _isSynced = false;
        return Apply(full);
    }

    private RowsReceived<TRow> Apply(Delta<TRow> delta)
    {
        _position = delta.To;
        var changed = delta.Rows.Where(row => Rows.Merge(row, delta.SpecVersion)).Select(Known).ToList();
        if (delta.IsFull)
        {
            _isSynced = delta.IsSynced;
            if (delta.IsSynced)
            {
                changed.AddRange(Rows.EndAllBut(delta.Rows.Select(kind.KeyOf).ToHashSet(), delta.SpecVersion));
            }
        }

        var hasNewSpec = delta.SpecVersion > SpecVersion;
        SpecVersion = Math.Max(SpecVersion, delta.SpecVersion);
        return new RowsReceived<TRow>(changed, delta.IsFull, IsSynced, hasNewSpec);
    }

    private TRow Known(TRow row) => Rows.TryGet(kind.KeyOf(row), out var known) ? known : row;

    private RowsReceived<TRow> Nothing() => new([], false, IsSynced, false);
}

/// <summary>What one message changed.</summary>
/// <param name="Changed">The rows that changed, as merged.</param>
/// <param name="WasFull">The message was the whole set: look at everything again.</param>
public sealed record RowsReceived<TRow>(IReadOnlyList<TRow> Changed, bool WasFull, bool IsSynced, bool HasNewSpec);
