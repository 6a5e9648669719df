using System.Diagnostics.CodeAnalysis;

namespace Mesh.Grains.Delivery;

/// <summary>
/// The rows of one end of a hop, by key. What ended stays 10 minutes as a tombstone with its orders, so that nothing
/// older brings it back.
/// </summary>
public sealed class RowTable<TKey, TRow>(IRowKind<TKey, TRow> kind, TimeProvider time)
    where TKey : notnull
    where TRow : class
{
    public static readonly TimeSpan TombstoneAge = TimeSpan.FromMinutes(10);

    /// <summary>Tombstones beyond this are dropped, oldest first: 10 minutes at 300 ends a second.</summary>
    public const int MaxTombstones = 200_000;

    private readonly Dictionary<TKey, TRow> _rows = [];
    private readonly Dictionary<TKey, DateTimeOffset> _endedAt = [];
    private readonly Queue<(TKey Key, DateTimeOffset At)> _tombstones = new();

    /// <summary>Tombstones included.</summary>
    public IReadOnlyCollection<TRow> All => _rows.Values;

    public int Count => _rows.Count;

    public bool TryGet(TKey key, [NotNullWhen(true)] out TRow? row) => _rows.TryGetValue(key, out row);

    /// <summary>Merges one row by its orders; true when that changed what is known.</summary>
    public bool Merge(TRow row)
    {
        Sweep();
        var key = kind.KeyOf(row);
        if (!_rows.TryGetValue(key, out var known))
        {
            Store(key, row);
            return true;
        }

        var merged = kind.Merge(known, row);
        if (ReferenceEquals(merged, known))
        {
            return false;
        }

        Store(key, merged);
        return true;
    }

    /// <summary>Turns each living row that is not among <paramref name="keys"/> into a tombstone; returns them.</summary>
    public IReadOnlyList<TRow> EndAllBut(IReadOnlySet<TKey> keys)
    {
        var ended = new List<TRow>();
        foreach (var (key, row) in _rows)
        {
            if (!keys.Contains(key) && !kind.IsEnded(row))
            {
                ended.Add(kind.End(row));
            }
        }

        ended.ForEach(row => Store(kind.KeyOf(row), row));
        return ended;
    }

    private void Store(TKey key, TRow row)
    {
        _rows[key] = row;
        if (!kind.IsEnded(row))
        {
            _endedAt.Remove(key);
            return;
        }

        var now = time.GetUtcNow();
        _endedAt[key] = now;
        _tombstones.Enqueue((key, now));
        if (_tombstones.Count > MaxTombstones)
        {
            Drop(_tombstones.Dequeue());
        }
    }

    private void Sweep()
    {
        var limit = time.GetUtcNow() - TombstoneAge;
        while (_tombstones.TryPeek(out var oldest) && oldest.At < limit)
        {
            Drop(_tombstones.Dequeue());
        }
    }

    // A key may have lived and ended again since: only its newest end counts.
    private void Drop((TKey Key, DateTimeOffset At) tombstone)
    {
        if (_endedAt.TryGetValue(tombstone.Key, out var at) && at == tombstone.At)
        {
            _endedAt.Remove(tombstone.Key);
            _rows.Remove(tombstone.Key);
        }
    }
}
