using System.Collections.Immutable;
using Mesh.Core.Names;

namespace Mesh.Storage.Caching;

/// <summary>All objects at one version. Immutable: readers take one state and need no lock.</summary>
internal sealed class CacheState
{
    private readonly ImmutableArray<CacheIndex> _indexes;
    private readonly ImmutableDictionary<(string Group, string Kind), KindObjects> _kinds;

    private CacheState(LogPosition position, ImmutableArray<CacheIndex> indexes, ImmutableDictionary<(string Group, string Kind), KindObjects> kinds)
    {
        Position = position;
        _indexes = indexes;
        _kinds = kinds;
    }

    public LogPosition Position { get; }

    public static CacheState Empty(ImmutableArray<CacheIndex> indexes) =>
        new(new LogPosition("", 0), indexes, ImmutableDictionary<(string, string), KindObjects>.Empty);

    /// <summary>What is in the image and nothing else, with the same indexes.</summary>
    public CacheState Reload(StoreImage image) => new(
        image.Position,
        _indexes,
        image.Objects.GroupBy(stored => (stored.Key.Group, stored.Key.Kind))
            .ToImmutableDictionary(kind => kind.Key, kind => KindObjects.Of([.. kind], Over(kind.Key))));

    public StoredObject? Find(ObjectKey key) =>
        _kinds.TryGetValue((key.Group, key.Kind), out var kind) ? kind.Find(key.Namespace, key.Name) : null;

    public IReadOnlyList<StoredObject> List(string group, string kind, string? ns) =>
        _kinds.TryGetValue((group, kind), out var objects) ? objects.List(ns) : [];

    public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => [.. Having(index).SelectMany(kind => kind.Find(index, word))];

    public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => [.. Having(index).SelectMany(kind => kind.FindAll(index))];

    public int Count(CacheIndex index) => Having(index).Sum(kind => kind.Count(index));

    public CacheState With(StoreChange change)
    {
        var key = (change.Object.Key.Group, change.Object.Key.Kind);
        var kind = (_kinds.TryGetValue(key, out var known) ? known : KindObjects.Of([], Over(key))).With(change);
        return new CacheState(Position, _indexes, kind.IsEmpty ? _kinds.Remove(key) : _kinds.SetItem(key, kind));
    }

    public CacheState At(LogPosition position) => new(position, _indexes, _kinds);

    private IEnumerable<KindObjects> Having(CacheIndex index)
    {
        if (!_indexes.Contains(index))
        {
            throw new ArgumentException("This cache was made without that index.", nameof(index));
        }

        return _kinds.Where(kind => index.Covers(kind.Key.Group, kind.Key.Kind)).Select(kind => kind.Value);
    }

    private IEnumerable<CacheIndex> Over((string Group, string Kind) kind) => _indexes.Where(index => index.Covers(kind.Group, kind.Kind));
}
