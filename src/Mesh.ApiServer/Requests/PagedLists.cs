using System.Globalization;
using Mesh.Storage;

namespace Mesh.ApiServer.Requests;

/// <summary>
/// Lists that clients read page by page. Each page comes from the list that the first one was cut from, so that all
/// pages together are one moment; a list that nobody asked for in five minutes, or that 64 newer ones pushed out, is
/// gone, and its token answered 410.
/// </summary>
internal sealed class PagedLists(TimeProvider time, Chance chance)
{
    private const int MaxLists = 64;

    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();

    private readonly Dictionary<string, Held> _lists = new(StringComparer.Ordinal);

    /// <summary>A token for what follows after <paramref name="position"/> items of the list.</summary>
    public string Hold(string about, CacheList list, int position)
    {
        lock (_lock)
        {
            Sweep();
            var known = _lists.FirstOrDefault(held => ReferenceEquals(held.Value.List, list) && held.Value.About == about).Key;
            var name = known ?? chance.NewUid();
            _lists[name] = new Held(about, list, time.GetTimestamp());
            return string.Create(CultureInfo.InvariantCulture, $"{name}.{position}");
        }
    }

    /// <param name="about">What the list was of (kind, namespace, selectors): a token is good for that only.</param>
    public (CacheList List, int Position)? Resume(string about, string token)
    {
        var dot = token.LastIndexOf('.');
        if (dot < 0 || !int.TryParse(token.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var position))
        {
            return null;
        }

        lock (_lock)
        {
            Sweep();
            return _lists.TryGetValue(token[..dot], out var held) && held.About == about && position <= held.List.Items.Count
                ? (held.List, position)
                : null;
        }
    }

    private void Sweep()
    {
        foreach (var (name, held) in _lists.OrderBy(pair => pair.Value.Used).ToList())
        {
            if (time.GetElapsedTime(held.Used) > MaxAge || _lists.Count >= MaxLists)
            {
                _lists.Remove(name);
            }
        }
    }

    private sealed record Held(string About, CacheList List, long Used);
}
