using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Names;

namespace Mesh.Storage.Caching;

/// <summary>All objects at one version. Immutable: readers take one state and need no lock.</summary>
internal sealed class CacheState
{
    private readonly ImmutableDictionary<(string Group, string Kind), KindObjects> _kinds;

    private CacheState(LogPosition position, ImmutableDictionary<(string Group, string Kind), KindObjects> kinds)
    {
        Position = position;
        _kinds = kinds;
    }

    public static CacheState Empty { get; } = new(new LogPosition("", 0), ImmutableDictionary<(string, string), KindObjects>.Empty);

    public LogPosition Position { get; }

    public static CacheState Of(StoreImage image) => new(
        image.Position,
        image.Objects.GroupBy(stored => (stored.Key.Group, stored.Key.Kind)).ToImmutableDictionary(kind => kind.Key, KindObjects.Of));

    public StoredObject? Find(ObjectKey key) =>
        _kinds.TryGetValue((key.Group, key.Kind), out var kind) ? kind.Find(key) : null;

    public IReadOnlyList<StoredObject> List(string group, string kind, string? ns) =>
        _kinds.TryGetValue((group, kind), out var objects) ? objects.List(ns) : [];

    /// <summary>The list is in ordinal order of names: those of one prefix are neighbours.</summary>
    public IReadOnlyList<StoredObject> ListNamed(string group, string kind, string ns, string prefix)
    {
        var all = List(group, kind, ns);
        var (first, end) = (0, all.Count);
        while (first < end)
        {
            var middle = (first + end) / 2;
            (first, end) = string.CompareOrdinal(all[middle].Key.Name, prefix) < 0 ? (middle + 1, end) : (first, middle);
        }

        var named = new List<StoredObject>();
        for (var at = first; at < all.Count && all[at].Key.Name.StartsWith(prefix, StringComparison.Ordinal); at++)
        {
            named.Add(all[at]);
        }

        return named;
    }

    public CacheState With(StoreChange change)
    {
        var key = (change.Object.Key.Group, change.Object.Key.Kind);
        var kind = _kinds.GetValueOrDefault(key, KindObjects.Empty).With(change);
        return new CacheState(Position, kind.IsEmpty ? _kinds.Remove(key) : _kinds.SetItem(key, kind));
    }

    public CacheState At(LogPosition position) => new(position, _kinds);

    /// <summary>The objects of one kind, by namespace.</summary>
    private sealed class KindObjects(ImmutableSortedDictionary<string, NamespaceObjects> namespaces)
    {
        private IReadOnlyList<StoredObject>? _all;

        public static KindObjects Empty { get; } = new(ImmutableSortedDictionary.Create<string, NamespaceObjects>(StringComparer.Ordinal));

        public bool IsEmpty => namespaces.IsEmpty;

        public static KindObjects Of(IEnumerable<StoredObject> objects) => new(objects
            .GroupBy(stored => stored.Key.Namespace)
            .ToImmutableSortedDictionary(ns => ns.Key, NamespaceObjects.Of, StringComparer.Ordinal));

        public StoredObject? Find(ObjectKey key) =>
            namespaces.TryGetValue(key.Namespace, out var ns) && ns.TryFind(key.Name, out var stored) ? stored : null;

        /// <summary>Made at the first call and kept while this kind stays as it is.</summary>
        public IReadOnlyList<StoredObject> List(string? ns) => ns is not null
            ? namespaces.TryGetValue(ns, out var one) ? one.List() : []
            : namespaces.Count == 1
                ? namespaces.Values.First().List()
                : _all ??= [.. namespaces.Values.SelectMany(each => each.List())];

        public KindObjects With(StoreChange change)
        {
            var name = change.Object.Key.Namespace;
            var ns = namespaces.GetValueOrDefault(name, NamespaceObjects.Empty).With(change);
            return new KindObjects(ns.IsEmpty ? namespaces.Remove(name) : namespaces.SetItem(name, ns));
        }
    }

    private sealed class NamespaceObjects(ImmutableSortedDictionary<string, StoredObject> objects)
    {
        private IReadOnlyList<StoredObject>? _list;

        public static NamespaceObjects Empty { get; } = new(ImmutableSortedDictionary.Create<string, StoredObject>(StringComparer.Ordinal));

        public bool IsEmpty => objects.IsEmpty;

        public static NamespaceObjects Of(IEnumerable<StoredObject> objects) =>
            new(objects.ToImmutableSortedDictionary(stored => stored.Key.Name, stored => stored, StringComparer.Ordinal));

        public bool TryFind(string name, [NotNullWhen(true)] out StoredObject? stored) => objects.TryGetValue(name, out stored);

        public IReadOnlyList<StoredObject> List() => _list ??= [.. objects.Values];

        public NamespaceObjects With(StoreChange change) => new(change.Type == StoreChangeType.Deleted
            ? objects.Remove(change.Object.Key.Name)
            : objects.SetItem(change.Object.Key.Name, change.Object));
    }
}
