using Mesh.Core.Names;

namespace Mesh.Storage.Caching;

/// <summary>One reader's place in the shared window of changes.</summary>
internal sealed class CacheWatch(WatchCache cache, Func<ObjectKey, bool> filter, LogPosition after) : IWatch
{
    private long _version = after.Version;

    public long Version => Volatile.Read(ref _version);

    public string Timeline => after.Timeline;

    /// <summary>Set while the reader waits for a change that its filter accepts.</summary>
    public TaskCompletionSource? Parked { get; set; }

    public bool IsClosed { get; set; }

    public async ValueTask<IReadOnlyList<StoreChange>> NextAsync(CancellationToken stop)
    {
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
            Advance(through);
            if (accepted.Length > 0)
            {
                return accepted;
            }
        }
    }

    public bool Accepts(ObjectKey key) => filter(key);

    public void Advance(long version) => Volatile.Write(ref _version, version);

    public void Dispose() => cache.Close(this);
}
