using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>
/// The order of objects of one kind: which document of a name is the newest, which were told since the last resync began,
/// and which were removed, so that an older message cannot bring them back.
/// </summary>
internal sealed class HeldObjects
{
    private readonly Dictionary<NamespacedName, Held> _held = [];
    private readonly Dictionary<NamespacedName, (long CreatedVersion, int At)> _removed = [];
    private readonly Dictionary<NamespacedName, ObjectDocument> _older = [];

    public enum Verdict
    {
        /// <summary>Older than what is held: it changes nothing.</summary>
        Older,

        /// <summary>The version that is held.</summary>
        Same,

        /// <summary>A newer version of the object that is held.</summary>
        Newer,

        /// <summary>Another object than the one held, if any.</summary>
        Another,
    }

    public string? UidOf(NamespacedName name) => _held.TryGetValue(name, out var held) ? held.Uid : null;

    public Verdict Judge(ObjectDocument document)
    {
        if (_removed.TryGetValue(document.Name, out var removed) && document.CreatedVersion <= removed.CreatedVersion)
        {
            return Verdict.Older;
        }

        if (!_held.TryGetValue(document.Name, out var held))
        {
            return Verdict.Another;
        }

        if (held.Uid != document.Uid)
        {
            var byCreation = (document.CreatedVersion - held.CreatedVersion, string.CompareOrdinal(document.Uid, held.Uid));
            return byCreation.CompareTo((0, 0)) > 0 ? Verdict.Another : Verdict.Older;
        }

        return document.ResourceVersion.CompareTo(held.ResourceVersion) switch
        {
            > 0 => Verdict.Newer,
            0 => Verdict.Same,
            < 0 => Verdict.Older,
        };
    }

    /// <summary>The document is the newest of its name from now on.</summary>
    public void Hold(ObjectDocument document, int generation)
    {
        _removed.Remove(document.Name);
        _older.Remove(document.Name);
        _held[document.Name] = new Held(document.Uid, document.CreatedVersion, document.ResourceVersion, generation);
    }

    /// <summary>
    /// Told, but older than what is held. After a restored backup that is all there will be: when the resync ends without
    /// a newer word, the older is the truth.
    /// </summary>
    /// <exception cref="FormatException">From <paramref name="parse"/>: what is held can be parsed again.</exception>
    public void HoldOlder<T>(ObjectDocument document, int generation, Func<ObjectDocument, T> parse)
    {
        if (_held.TryGetValue(document.Name, out var held) && held.Generation < generation)
        {
            parse(document);
            _older[document.Name] = document;
        }
    }

    public bool TryRemove(NamespacedName name, string uid, int sweep)
    {
        if (!_held.TryGetValue(name, out var held) || held.Uid != uid)
        {
            return false;
        }

        _removed[name] = (held.CreatedVersion, sweep);
        return Drop(name);
    }

    public bool Drop(NamespacedName name)
    {
        _older.Remove(name);
        return _held.Remove(name);
    }

    /// <summary>Names not told since <paramref name="generation"/> began; <c>Older</c> is what was told instead, if anything.</summary>
    public (NamespacedName Name, ObjectDocument? Older)[] Untold(int generation) =>
        [.. _held.Where(pair => pair.Value.Generation < generation).Select(pair => (pair.Key, _older.GetValueOrDefault(pair.Key)))];

    public void DropTombstones(int before)
    {
        foreach (var (name, (_, at)) in _removed)
        {
            if (at < before)
            {
                _removed.Remove(name);
            }
        }
    }

    private readonly record struct Held(string Uid, long CreatedVersion, long ResourceVersion, int Generation);
}
