namespace Mesh.Storage.Caching;

/// <summary>
/// The newest part of the log in memory, shared by all watches: each reads on from its own position, so a slow one costs
/// nobody memory. Not thread-safe: its cache locks.
/// </summary>
internal sealed class ChangeWindow(LogRetention retention)
{
    private const int SmallestRing = 1_024;

    private LoggedChange[] _ring = new LoggedChange[SmallestRing];
    private int _head;
    private int _count;
    private long _bytes;

    /// <summary>Every change after this version is here.</summary>
    public long Start { get; private set; }

    public int Count => _count;

    public void Reset(long start, IReadOnlyList<LoggedChange> log)
    {
        _ring = new LoggedChange[SmallestRing];
        (_head, _count, _bytes, Start) = (0, 0, 0, start);
        foreach (var logged in log)
        {
            Add(logged);
        }
    }

    public void Add(LoggedChange logged)
    {
        if (_count == _ring.Length)
        {
            Grow();
        }

        _ring[(_head + _count) & (_ring.Length - 1)] = logged;
        _count++;
        _bytes += BytesOf(logged);
    }

    public void Trim(DateTimeOffset now)
    {
        while (_count > 0 && retention.Drops(now - _ring[_head].At, _count, _bytes))
        {
            Start = _ring[_head].Change.Object.ResourceVersion;
            _bytes -= BytesOf(_ring[_head]);
            _ring[_head] = null!;
            _head = (_head + 1) & (_ring.Length - 1);
            _count--;
        }
    }

    /// <summary>The first changes after a version, a limited number of them.</summary>
    public StoreChange[] After(long version, int limit)
    {
        var from = IndexAfter(version);
        var changes = new StoreChange[Math.Min(limit, _count - from)];
        for (var i = 0; i < changes.Length; i++)
        {
            changes[i] = At(from + i).Change;
        }

        return changes;
    }

    /// <summary>What a change keeps alive that the objects of today do not: the document it replaced.</summary>
    private static long BytesOf(LoggedChange logged) =>
        (logged.Change.Previous?.Document.Length ?? 0) + (logged.Change.Type == StoreChangeType.Deleted ? logged.Change.Object.Document.Length : 0);

    private int IndexAfter(long version)
    {
        var (low, high) = (0, _count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (At(middle).Change.Object.ResourceVersion <= version)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private LoggedChange At(int index) => _ring[(_head + index) & (_ring.Length - 1)];

    private void Grow()
    {
        var larger = new LoggedChange[_ring.Length * 2];
        for (var i = 0; i < _count; i++)
        {
            larger[i] = At(i);
        }

        (_ring, _head) = (larger, 0);
    }
}
