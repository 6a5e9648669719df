using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Routing;

namespace Mesh.Grains.Delivery;

/// <summary>
/// The rows of one end of a hop, by key. What ended stays 10 minutes as a tombstone with its orders, so that nothing
/// older brings it back.
/// </summary>
/// <param name="dropped">Told of each tombstone whose time is over.</param>
public sealed class RowTable<TKey, TRow>(IRowKind<TKey, TRow> kind, TimeProvider time, Action<TRow>? dropped = null)
    where TKey : notnull
    where TRow : class
{
    public static readonly TimeSpan TombstoneAge = TimeSpan.FromMinutes(10);

    /// <summary>Tombstones beyond this are dropped, oldest first: 10 minutes at 300 ends a second.</summary>
    public const int MaxTombstones = 200_000;

    private const int SmallTable = 64;

    private readonly Dictionary<TKey, Entry> _rows = [];
    private readonly Queue<(TKey Key, long At)> _tombstones = new();

    /// <summary>Tombstones included.</summary>
    public IEnumerable<TRow> All => _rows.Values.Select(entry => entry.Row);

    public int Count => _rows.Count;

    public bool TryGet(TKey key, [NotNullWhen(true)] out TRow? row)
    {
        row = _rows.TryGetValue(key, out var entry) ? entry.Row : null;
        return row is not null;
    }

    /// <summary>Merges one row by its orders; true when it was newer in any part.</summary>
    /// <param name="computedFrom">resourceVersion of the Service spec that the row was chosen or computed by.</param>
    public bool Merge(TRow row, long computedFrom = 0)
    {
        Sweep();
        var key = kind.KeyOf(row);
        if (!_rows.TryGetValue(key, out var known))
        {
            Store(key, Begin(row, computedFrom));
            return true;
        }

        if (!known.Merged.TryMerge(row, kind.OrderOf(row), kind.IsEnded(row), computedFrom, out var merged))
        {
            return false;
        }

        Store(key, merged);
        return true;
    }

    /// <summary>Turns each living row that is not among <paramref name="keys"/> into a tombstone; returns them.</summary>
    public IReadOnlyList<TRow> EndAllBut(IReadOnlySet<TKey> keys, long computedFrom)
    {
        var ended = All.Where(row => !keys.Contains(kind.KeyOf(row)) && !kind.IsEnded(row)).Select(kind.End).ToList();
        ended.ForEach(row => Store(kind.KeyOf(row), Begin(row, computedFrom)));
        return ended;
    }

    /// <summary>Drops tombstones whose time is over. Each merge does so; who merges nothing for long asks for it.</summary>
    public void Sweep()
    {
        while (_tombstones.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > TombstoneAge)
        {
            Drop(_tombstones.Dequeue());
        }
    }

    private MergedRow<TRow> Begin(TRow row, long computedFrom) =>
        MergedRow.Of(row, kind.OrderOf(row), kind.IsEnded(row), computedFrom);

    private void Store(TKey key, MergedRow<TRow> merged)
    {
        var now = time.GetTimestamp();
        _rows[key] = new Entry(merged, kind.Compose(merged), merged.IsEnded ? now : null);
        if (merged.IsEnded)
        {
            _tombstones.Enqueue((key, now));
            if (_tombstones.Count > MaxTombstones)
            {
                Drop(_tombstones.Dequeue());
            }
        }
    }

    // A key may have lived and ended again since: only its newest end counts.
    private void Drop((TKey Key, long At) tombstone)
    {
        if (_rows.TryGetValue(tombstone.Key, out var entry) && entry.EndedAt == tombstone.At)
        {
            _rows.Remove(tombstone.Key);
            dropped?.Invoke(entry.Row);
            GiveBack();
        }
    }

    /// <summary>A table that was large once takes no more than it needs: half a megabyte of entries for a few rows is much in thousands of Services.</summary>
    private void GiveBack()
    {
        if (_rows.Capacity > SmallTable && _rows.Count < _rows.Capacity / 4)
        {
            _rows.TrimExcess(_rows.Count * 2);
            _tombstones.TrimExcess();
        }
    }

    private readonly record struct Entry(MergedRow<TRow> Merged, TRow Row, long? EndedAt);
}
