namespace Mesh.Core.Routing;

/// <summary>Names that the control plane told as existing, with the resync in which it last did.</summary>
internal sealed class ToldSet
{
    private readonly Dictionary<string, int> _told = new(StringComparer.Ordinal);

    public bool Contains(string name) => _told.ContainsKey(name);

    /// <summary>True when membership changed.</summary>
    public bool Tell(string name, bool exists, int generation)
    {
        if (!exists)
        {
            return _told.Remove(name);
        }

        var isNew = !_told.ContainsKey(name);
        _told[name] = generation;
        return isNew;
    }

    /// <summary>Removes and returns what was not told since the resync began.</summary>
    public string[] DropUntold(int generation)
    {
        string[] untold = [.. _told.Where(pair => pair.Value < generation).Select(pair => pair.Key)];
        foreach (var name in untold)
        {
            _told.Remove(name);
        }

        return untold;
    }
}
