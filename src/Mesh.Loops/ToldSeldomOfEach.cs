namespace Mesh.Loops;

/// <summary>The same of each of many: of a thousand a minute at most, and whoever comes beyond that is not told of.</summary>
public sealed class ToldSeldomOfEach<TKey>(TimeProvider time)
    where TKey : notnull
{
    private const int Most = 1000;
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, ToldSeldom> _each = [];
    private long? _full;

    /// <inheritdoc cref="ToldSeldom.Count"/>
    public int Count(TKey key)
    {
        lock (_gate)
        {
            if (!_each.TryGetValue(key, out var events))
            {
                if (_each.Count >= Most && !Forget())
                {
                    return 0;
                }

                _each.Add(key, events = new ToldSeldom(time));
            }

            return events.Count();
        }
    }

    /// <summary>Makes room, if it is time for anybody's next line anyway. Looks once a second: who comes too often is to cost nothing.</summary>
    private bool Forget()
    {
        if (_full is { } full && time.GetElapsedTime(full) < LookAgain)
        {
            return false;
        }

        _full = time.GetTimestamp();
        foreach (var (key, _) in _each.Where(static entry => entry.Value.IsOver).ToList())
        {
            _each.Remove(key);
        }

        return _each.Count < Most;
    }
}
