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

    public StoredObject Put(ObjectKey key, long version, string document) =>
        Put(new StoredObject(key, key.Name, version, version, false, Encoding.UTF8.GetBytes(document)));

    public StoredObject Put(StoredObject stored)
    {
        Version = Math.Max(Version, stored.ResourceVersion);
        return _objects[stored.Key] = stored;
    }

    public void Remove(ObjectKey key) => _objects.Remove(key);

    /// <summary>How often everything of a kind was listed.</summary>
    public int Lists { get; private set; }

    public StoredObject? Get(ObjectKey key) => _objects.GetValueOrDefault(key);

    public CacheList List(string group, string kind, string? ns)
    {
        Lists++;
        return new(Version, [.. _objects.Values.Where(stored => stored.Key.Group == group && stored.Key.Kind == kind && (ns is null || stored.Key.Namespace == ns))]);
    }

    /// <summary>By a look at every object: what an index must find.</summary>
    public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => Indexed(index, words => words.Contains(word));

    public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => Indexed(index, static words => words.Count > 0);

    public int Count(CacheIndex index) => Indexed(index, static words => words.Count > 0).Sum(stored => index.WordsOf(stored).Count);

    public Task WaitForAsync(long version, CancellationToken stop) => Task.CompletedTask;

    public Task<bool> WaitForFreshAsync(CancellationToken stop) => Task.FromResult(true);

    private StoredObject[] Indexed(CacheIndex index, Func<IReadOnlyList<string>, bool> which) =>
        [.. _objects.Values.Where(stored => index.Covers(stored.Key.Group, stored.Key.Kind) && which(index.WordsOf(stored)))];

    public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion) => throw new NotSupportedException();
}
