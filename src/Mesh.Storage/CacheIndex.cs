using System.Text.Json;

namespace Mesh.Storage;

/// <summary>
/// By which words objects can be found: the cache reads them of each object when it was committed or loaded, and keeps what it
/// found, so that nobody lists all to find a few.
/// </summary>
/// <remarks>The words of an object are always the same, and quickly read: it is done where changes are applied.</remarks>
public sealed class CacheIndex
{
    private readonly (string Group, string Kind)? _only;
    private readonly Func<StoredObject, IEnumerable<string>> _wordsOf;

    private CacheIndex((string Group, string Kind)? only, Func<StoredObject, IEnumerable<string>> wordsOf) => (_only, _wordsOf) = (only, wordsOf);

    /// <summary>Of one kind.</summary>
    public static CacheIndex Of(string group, string kind, Func<StoredObject, IEnumerable<string>> wordsOf) => new((group, kind), wordsOf);

    /// <summary>Of every kind.</summary>
    public static CacheIndex OfAll(Func<StoredObject, IEnumerable<string>> wordsOf) => new(null, wordsOf);

    public bool Covers(string group, string kind) => _only is not { } only || only == (group, kind);

    /// <summary>Each word once. What cannot be read is found by none: it may not end the loop on which commits are acknowledged.</summary>
    public IReadOnlyList<string> WordsOf(StoredObject stored)
    {
        try
        {
            return [.. _wordsOf(stored).Distinct(StringComparer.Ordinal)];
        }
        catch (Exception unreadable) when (unreadable is FormatException or InvalidOperationException or JsonException)
        {
            return [];
        }
    }
}
