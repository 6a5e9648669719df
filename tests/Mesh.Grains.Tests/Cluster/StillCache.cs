using System.Text;
using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>A cache that holds what was put, and tells of no changes.</summary>
internal sealed class StillCache : IWatchCache
{
    private readonly Dictionary<ObjectKey, StoredObject> _objects = [];

    public long Version { get; private set; }

    public string Timeline => "";

    public StoredObject Put(ObjectKey key, long version, string document)
    {
        Version = Math.Max(Version, version);
        return _objects[key] = new StoredObject(key, key.Name, version, version, false, Encoding.UTF8.GetBytes(document));
    }

    public StoredObject? Get(ObjectKey key) => _objects.GetValueOrDefault(key);

    public CacheList List(string group, string kind, string? ns) =>
        new(Version, [.. _objects.Values.Where(stored => stored.Key.Group == group && stored.Key.Kind == kind && (ns is null || stored.Key.Namespace == ns))]);

    public IReadOnlyList<StoredObject> ListNamed(string group, string kind, string ns, string prefix) => throw new NotSupportedException();

    public Task WaitForAsync(long version, CancellationToken stop) => Task.CompletedTask;

    public Task<bool> WaitForFreshAsync(CancellationToken stop) => Task.FromResult(true);

    public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion) => throw new NotSupportedException();
}
