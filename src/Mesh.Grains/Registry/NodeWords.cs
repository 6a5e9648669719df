namespace Mesh.Grains.Registry;

/// <summary>
/// When each node last said what it holds here. One that holds nothing in this namespace any more says nothing of it
/// either: while rows name it, it is asked, until it has answered.
/// </summary>
internal sealed class NodeWords(TimeProvider time)
{
    /// <summary>Two digests that did not come, and some patience.</summary>
    public static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);

    public void Hear(string node) => _last[node] = time.GetTimestamp();

    /// <summary>Those of the holders that are to be asked now; each again only after as long a silence.</summary>
    public IReadOnlyList<string> TakeSilent(IReadOnlySet<string> holders)
    {
        foreach (var gone in _last.Keys.Where(node => !holders.Contains(node)).ToArray())
        {
            _last.Remove(gone);
        }

        var silent = new List<string>();
        foreach (var node in holders)
        {
            if (!_last.TryGetValue(node, out var last))
            {
                Hear(node); // its rows are new: its first digest may be on the way
            }
            else if (time.GetElapsedTime(last) >= AskAfter)
            {
                silent.Add(node);
                Hear(node);
            }
        }

        return silent;
    }
}
