using Mesh.Core.Names;

namespace Mesh.Storage.Caching;

/// <summary>One reader's place in the shared window of changes.</summary>
internal sealed class CacheWatch(WatchCache cache, Func<ObjectKey, bool> filter, LogPosition after) : IWatch
{
    private long _taken = after.Version;
    private long _told = after.Version;

    public long Version => Volatile.Read(ref _told);

    /// <summary>Read from the window up to here; what the reader has not come back for is beyond its <see cref="Version"/>.</summary>
    public long Taken => Volatile.Read(ref _taken);

    public string Timeline => after.Timeline;

    /// <summary>Set while the reader waits for a change that its filter accepts.</summary>
    public TaskCompletionSource? Parked { get; set; }

    public bool IsClosed { get; set; }

    public async ValueTask<IReadOnlyList<StoreChange>> NextAsync(CancellationToken stop)
    {
        Advance(Taken); // the reader has done with what it got last
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var (changes, through, parked) = cache.Take(this);
            if (parked is not null)
            {
                await parked.WaitAsync(stop);
                continue;
            }

            // Filtered here, on the reader's own time, and not under the cache's lock.
            var accepted = Array.FindAll(changes, change => filter(change.Object.Key));
            if (accepted.Length > 0)
            {
                Volatile.Write(ref _taken, through);
                return accepted;
            }

            Advance(through);
        }
    }

    public bool Accepts(ObjectKey key) => filter(key);

    /// <summary>There was nothing to tell up to here.</summary>
    public void Advance(long version)
    {
        Volatile.Write(ref _taken, version);
        Volatile.Write(ref _told, version);
    }

    public void Dispose() => cache.Close(this);
}
