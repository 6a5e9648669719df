using Mesh.Core.Names;
using Mesh.Storage;
using Mesh.Testing.Time;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>A silo's cache, one of whose members throws for as long as the test says, or that lags behind the log for one grain.</summary>
public sealed class PlantedCache(WatchCache cache, IGrainContextAccessor grains) : IWatchCache
{
    private volatile string? _fails;
    private volatile Lag? _lag;

    /// <summary>Name of the member; null: all is well.</summary>
    public string? Fails
    {
        get => _fails;
        set => _fails = value;
    }

    public long Version => LagOfCaller?.Version ?? cache.Version;

    public string Timeline => cache.Timeline;

    private Lag? LagOfCaller => _lag is { } lag && lag.Grain == grains.GrainContext?.GrainId.Key.ToString() ? lag : null;

    /// <summary>The grain of this object does not hear of it, nor of anything that is written from now on, until it asks how new the cache is.</summary>
    public void LagBehind(ObjectKey key) =>
        _lag = new Lag(key, key.Namespace.Length == 0 ? key.Name : $"{key.Namespace}/{key.Name}", cache.Version, new(TaskCreationOptions.RunContinuationsAsynchronously));

    public void CatchUp()
    {
        _lag?.End.TrySetResult();
        _lag = null;
    }

    public StoredObject? Get(ObjectKey key) => LagOfCaller?.Key == key ? null : cache.Get(key);

    public CacheList List(string group, string kind, string? ns) => cache.List(group, kind, ns);

    public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => cache.Find(index, word);

    public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => cache.FindAll(index);

    public int Count(CacheIndex index) => cache.Count(index);

    public async Task WaitForAsync(long version, CancellationToken stop)
    {
        if (LagOfCaller is { } lag && version > lag.Version)
        {
            await lag.End.Task.WaitAsync(stop);
        }

        await cache.WaitForAsync(version, stop);
    }

    public Task<bool> WaitForFreshAsync(CancellationToken stop)
    {
        if (LagOfCaller is not null)
        {
            CatchUp();
        }

        return _fails == nameof(WaitForFreshAsync) ? throw PlantedTime.Planted() : cache.WaitForFreshAsync(stop);
    }

    public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion) => _fails == nameof(Watch) ? throw PlantedTime.Planted() : cache.Watch(filter, afterVersion);

    private sealed record Lag(ObjectKey Key, string Grain, long Version, TaskCompletionSource End);
}
