namespace Mesh.Storage.Caching;

/// <summary>
/// The newest part of the log in memory, shared by all watches: each reads on from its own position, so a slow one costs
/// nobody memory. Ages count from when this cache was told, whatever clock the writer has. Not thread-safe: its cache locks.
/// </summary>
internal sealed class ChangeWindow(LogRetention retention, TimeProvider time)
{
    /// <summary>Of one change without its documents, about: itself, an object's record, its place in the ring.</summary>
    public const int ChangeBytes = 256;

    private const int SmallestRing = 1_024;

    private Told[] _ring = new Told[SmallestRing];
    private int _head;
    private int _count;
    private long _bytes;

    /// <summary>Every change after this version is here.</summary>
    public long Start { get; private set; }

    public int Count => _count;

    public void Reset(long start, IReadOnlyList<StoreChange> log)
    {
        _ring = new Told[SmallestRing];
        (_head, _count, _bytes, Start) = (0, 0, 0, start);
        var at = time.GetTimestamp(); // how old these are nobody knows here: they stay as long as new ones
        foreach (var change in log)
        {
            Add(change, at);
        }
    }

    public void Add(StoreChange change) => Add(change, time.GetTimestamp());

    public void Trim()
    {
        while (_count > 0 && retention.Drops(time.GetElapsedTime(_ring[_head].At), _count, _bytes))
        {
            Start = _ring[_head].Change.Object.ResourceVersion;
            _bytes -= BytesOf(_ring[_head].Change);
            _ring[_head] = default;
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

    private void Add(StoreChange change, long at)
    {
        if (_count == _ring.Length)
        {
            Grow();
        }

        _ring[(_head + _count) & (_ring.Length - 1)] = new Told(change, at);
        _count++;
        _bytes += BytesOf(change);
    }

    /// <summary>What a change keeps alive that the objects of today do not: the document it replaced, and the change itself.</summary>
    private static long BytesOf(StoreChange change) =>
        ChangeBytes + (change.Previous?.Document.Length ?? 0) + (change.Type == StoreChangeType.Deleted ? change.Object.Document.Length : 0);

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

    private Told At(int index) => _ring[(_head + index) & (_ring.Length - 1)];

    private void Grow()
    {
        var larger = new Told[_ring.Length * 2];
        for (var i = 0; i < _count; i++)
        {
            larger[i] = At(i);
        }

        (_ring, _head) = (larger, 0);
    }

    private readonly record struct Told(StoreChange Change, long At);
}
