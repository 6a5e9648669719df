using System.Collections.Immutable;

namespace Mesh.Storage.Caching;

/// <summary>One index over one kind: what is found by each word. Immutable; a change that alters no word costs nothing.</summary>
/// <remarks>It holds names and no objects: 64 bytes for each word of each object, and the index is the same from version to version.</remarks>
internal sealed class WordIndex
{
    private readonly ImmutableSortedSet<Entry> _entries;

    private WordIndex(CacheIndex definition, ImmutableSortedSet<Entry> entries) => (Definition, _entries) = (definition, entries);

    public CacheIndex Definition { get; }

    public int Count => _entries.Count;

    public static WordIndex Of(CacheIndex definition, IEnumerable<StoredObject> objects) => new(
        definition, objects.SelectMany(stored => EntriesOf(definition, stored)).ToImmutableSortedSet(ByWord.Instance));

    /// <summary>The same when the object is found by the words by which it was found before.</summary>
    public WordIndex With(StoreChange change)
    {
        Entry[] before = change.Previous is { } previous ? [.. EntriesOf(Definition, previous)] : [];
        Entry[] after = change.Type == StoreChangeType.Deleted ? [] : [.. EntriesOf(Definition, change.Object)];
        return before.AsSpan().SequenceEqual(after) ? this : new WordIndex(Definition, _entries.Except(before).Union(after));
    }

    /// <summary>In order of (namespace, name).</summary>
    public IEnumerable<(string Namespace, string Name)> Find(string word)
    {
        var first = _entries.IndexOf(new Entry(word, "", "")); // before every name, and itself none
        for (var at = first < 0 ? ~first : first; at < _entries.Count && _entries[at] is var entry && entry.Word == word; at++)
        {
            yield return (entry.Namespace, entry.Name);
        }
    }

    /// <summary>What has a word; once for each of its words.</summary>
    public IEnumerable<(string Namespace, string Name)> FindAll() => _entries.Select(entry => (entry.Namespace, entry.Name));

    private static IEnumerable<Entry> EntriesOf(CacheIndex definition, StoredObject stored) =>
        definition.WordsOf(stored).Select(word => new Entry(word, stored.Key.Namespace, stored.Key.Name));

    private readonly record struct Entry(string Word, string Namespace, string Name);

    private sealed class ByWord : IComparer<Entry>
    {
        public static ByWord Instance { get; } = new();

        public int Compare(Entry x, Entry y)
        {
            var order = string.CompareOrdinal(x.Word, y.Word);
            order = order != 0 ? order : string.CompareOrdinal(x.Namespace, y.Namespace);
            return order != 0 ? order : string.CompareOrdinal(x.Name, y.Name);
        }
    }
}
