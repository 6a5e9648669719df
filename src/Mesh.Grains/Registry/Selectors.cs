namespace Mesh.Grains.Registry;

/// <summary>Selectors against the labels of rows, as they travel in messages.</summary>
internal static class Selectors
{
    /// <summary>An empty selector selects nothing.</summary>
    public static bool Selects(this IReadOnlyDictionary<string, string> selector, Dictionary<string, string> labels)
    {
        foreach (var (key, wanted) in selector)
        {
            if (!labels.TryGetValue(key, out var value) || value != wanted)
            {
                return false;
            }
        }

        return selector.Count > 0;
    }
}
