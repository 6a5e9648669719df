namespace Mesh.Storage.Caching;

/// <summary>Watches that have read everything and wait for more. Not thread-safe: its cache locks.</summary>
internal sealed class ParkedWatches
{
    private readonly List<CacheWatch> _parked = [];

    /// <summary>A task that completes when the watch should look again; the same one until then.</summary>
    public Task Park(CacheWatch watch)
    {
        if (watch.Parked is null)
        {
            watch.Parked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _parked.Add(watch);
        }

        return watch.Parked.Task;
    }

    public void Remove(CacheWatch watch)
    {
        _parked.Remove(watch);
        watch.Parked?.TrySetException(new ObjectDisposedException(nameof(IWatch)));
        watch.Parked = null;
    }

    /// <summary>Those who have something to read; for the others the position moves on while they wait.</summary>
    public void Wake(List<StoreChange> applied, long version) => _parked.RemoveAll(watch =>
    {
        if (!applied.Exists(change => watch.Accepts(change.Object.Key)))
        {
            watch.Advance(Math.Max(watch.Taken, version));
            return false;
        }

        Unpark(watch);
        return true;
    });

    /// <summary>They look for themselves whether they can go on.</summary>
    public void WakeAll()
    {
        _parked.ForEach(Unpark);
        _parked.Clear();
    }

    private static void Unpark(CacheWatch watch)
    {
        watch.Parked?.TrySetResult();
        watch.Parked = null;
    }
}
