using Mesh.Core.Names;
using Mesh.Storage;
using Mesh.Testing.Time;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>A silo's cache, one of whose members throws for as long as the test says.</summary>
public sealed class PlantedCache(WatchCache cache) : IWatchCache
{
    private volatile string? _fails;

    /// <summary>Name of the member; null: all is well.</summary>
    public string? Fails
    {
        get => _fails;
        set => _fails = value;
    }

    public long Version => cache.Version;

    public string Timeline => cache.Timeline;

    public StoredObject? Get(ObjectKey key) => cache.Get(key);

    public CacheList List(string group, string kind, string? ns) => cache.List(group, kind, ns);

    public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => cache.Find(index, word);

    public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => cache.FindAll(index);

    public int Count(CacheIndex index) => cache.Count(index);

    public Task WaitForAsync(long version, CancellationToken stop) => cache.WaitForAsync(version, stop);

    public Task<bool> WaitForFreshAsync(CancellationToken stop) => _fails == nameof(WaitForFreshAsync) ? throw PlantedTime.Planted() : cache.WaitForFreshAsync(stop);

    public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion) => _fails == nameof(Watch) ? throw PlantedTime.Planted() : cache.Watch(filter, afterVersion);
}
