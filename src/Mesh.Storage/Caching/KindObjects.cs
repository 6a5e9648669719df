using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.Storage.Caching;

/// <summary>The objects of one kind, by namespace, and by the words of the indexes over the kind. Immutable.</summary>
internal sealed class KindObjects
{
    private readonly ImmutableSortedDictionary<string, NamespaceObjects> _namespaces;
    private readonly ImmutableArray<WordIndex> _indexes;
    private IReadOnlyList<StoredObject>? _all;

    private KindObjects(ImmutableSortedDictionary<string, NamespaceObjects> namespaces, ImmutableArray<WordIndex> indexes) =>
        (_namespaces, _indexes) = (namespaces, indexes);

    public bool IsEmpty => _namespaces.IsEmpty;

    public static KindObjects Of(IReadOnlyCollection<StoredObject> objects, IEnumerable<CacheIndex> indexes) => new(
        objects.GroupBy(stored => stored.Key.Namespace).ToImmutableSortedDictionary(ns => ns.Key, NamespaceObjects.Of, StringComparer.Ordinal),
        [.. indexes.Select(index => WordIndex.Of(index, objects))]);

    public StoredObject? Find(string ns, string name) =>
        _namespaces.TryGetValue(ns, out var objects) && objects.TryFind(name, out var stored) ? stored : null;

    /// <summary>Made at the first call and kept while this kind stays as it is.</summary>
    public IReadOnlyList<StoredObject> List(string? ns) => ns is not null
        ? _namespaces.TryGetValue(ns, out var one) ? one.List() : []
        : _namespaces.Count == 1
            ? _namespaces.Values.First().List()
            : _all ??= [.. _namespaces.Values.SelectMany(each => each.List())];

    public IEnumerable<StoredObject> Find(CacheIndex index, string word) => Over(index).Find(word).Select(Named);

    public IEnumerable<StoredObject> FindAll(CacheIndex index) => Over(index).FindAll().Distinct().Select(Named);

    public int Count(CacheIndex index) => Over(index).Count;

    public KindObjects With(StoreChange change)
    {
        var name = change.Object.Key.Namespace;
        var ns = _namespaces.GetValueOrDefault(name, NamespaceObjects.Empty).With(change);
        return new KindObjects(
            ns.IsEmpty ? _namespaces.Remove(name) : _namespaces.SetItem(name, ns),
            _indexes.IsEmpty ? _indexes : [.. _indexes.Select(index => index.With(change))]);
    }

    private WordIndex Over(CacheIndex index) => _indexes.First(over => over.Definition == index);

    private StoredObject Named((string Namespace, string Name) key) => Find(key.Namespace, key.Name)!;

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
