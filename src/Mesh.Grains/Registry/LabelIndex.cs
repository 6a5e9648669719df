namespace Mesh.Grains.Registry;

/// <summary>What carries a label, or asks for it, by pair of key and value.</summary>
internal sealed class LabelIndex<T>
    where T : notnull
{
    private static readonly IReadOnlySet<T> None = new HashSet<T>();
    private readonly Dictionary<(string Key, string Value), HashSet<T>> _byPair = [];

    /// <summary>Pairs that something carries or asks for.</summary>
    public int Count => _byPair.Count;

    public IReadOnlySet<T> Of(string key, string value) => _byPair.TryGetValue((key, value), out var found) ? found : None;

    public void Add(string key, string value, T item)
    {
        if (!_byPair.TryGetValue((key, value), out var items))
        {
            _byPair[(key, value)] = items = [];
        }

        items.Add(item);
    }

    public void Remove(string key, string value, T item)
    {
        if (_byPair.TryGetValue((key, value), out var items) && items.Remove(item) && items.Count == 0)
        {
            _byPair.Remove((key, value));
        }
    }
}
