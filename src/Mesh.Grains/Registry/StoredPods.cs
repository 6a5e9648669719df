using Mesh.Core.Labels;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Registry;

/// <summary>
/// The Pods of one namespace as the watch cache has them, against a registry's rows. Their grains tell the registry what
/// changes; what of that was lost is found here, by uid and version, and wakes none of them.
/// </summary>
internal sealed class StoredPods(IWatchCache cache, RegistryRows rows, string ns, Action<ObjectKey, string> unreadable)
{
    // Looked at in one turn of the grain, well under a millisecond.
    private const int Piece = 64;

    private long _compared;
    private long _looked;
    private HashSet<string> _absent = []; // uids whose objects the last look did not find

    /// <summary>Rows as stored. Their liveness counts for nothing against what nodes told: a dead Pod stays dead.</summary>
    public void Load()
    {
        var list = cache.List("", "Pod", ns);
        foreach (var stored in list.Items)
        {
            Take(stored);
        }

        (_compared, _looked) = (list.Version, list.Version);
    }

    /// <summary>
    /// Takes what was stored before the last look and has been still since, where a row says otherwise; ends what is stored no
    /// more. What changes all the time is told all the time, and is not read for this.
    /// </summary>
    public async Task CompareAsync(CancellationToken stop)
    {
        var list = cache.List("", "Pod", ns);
        for (var i = 0; i < list.Items.Count; i++)
        {
            await TakeBreathAsync(i, stop);
            if (list.Items[i] is var stored && stored.ResourceVersion > _compared && stored.ResourceVersion <= _looked && IsCurrent(stored))
            {
                Compare(stored);
            }
        }

        (_compared, _looked) = (_looked, list.Version);
        var names = rows.Names();
        var absent = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < names.Length; i++)
        {
            await TakeBreathAsync(i, stop);
            if (AbsentUid(names[i]) is { } uid && !EndAbsent(names[i], uid))
            {
                absent.Add(uid);
            }
        }

        _absent = absent;
    }

    private static async ValueTask TakeBreathAsync(int looked, CancellationToken stop)
    {
        if (looked % Piece == Piece - 1)
        {
            await Task.Yield(); // reports go first
            stop.ThrowIfCancellationRequested();
        }
    }

    private bool IsCurrent(StoredObject stored) => ReferenceEquals(cache.Get(stored.Key), stored);

    private void Compare(StoredObject stored)
    {
        if (RowOf(stored) is { } now && !(rows.Find(now.Name) is { } row && row.Order.Uid == stored.Uid && (row.IsEnded || Says(row, now))))
        {
            rows.Apply(now);
        }
    }

    /// <summary>Whether a living row says what the object does; that its Pod is not ended, and not terminating, only its node says.</summary>
    private static bool Says(PodRow row, PodRow now) =>
        row.NodeName == now.NodeName && Equals(row.Address, now.Address) && row.Ports.AsSpan().SequenceEqual(now.Ports)
        && LabelMap.Same(row.Labels, now.Labels) && (row.IsTerminating || !now.IsTerminating) && !now.IsEnded;

    private void Take(StoredObject stored)
    {
        if (RowOf(stored) is { } row)
        {
            rows.Apply(row);
        }
    }

    /// <summary>Null when it cannot be read, which is told.</summary>
    private PodRow? RowOf(StoredObject stored)
    {
        try
        {
            return PodRowOf.Object(stored, null);
        }
        catch (FormatException malformed)
        {
            unreadable(stored.Key, malformed.Message);
            return null;
        }
    }

    /// <summary>The uid of a row whose object is not stored. One that is newer than the cache has its object on the way here.</summary>
    private string? AbsentUid(string name) =>
        rows.Find(name) is { IsEnded: false, Order: { CreatedVersion: > 0 } order } && order.CreatedVersion <= cache.Version
        && cache.Get(KeyOf(name))?.Uid != order.Uid
            ? order.Uid
            : null;

    /// <summary>At the second look that does not find it: its grain tells of the end itself, a moment after it is stored.</summary>
    private bool EndAbsent(string name, string uid)
    {
        if (!_absent.Contains(uid))
        {
            return false;
        }

        var version = cache.Version; // first: what is created after the look is newer than the end that it finds
        if (cache.Get(KeyOf(name)) is { } another)
        {
            Take(another);
        }
        else
        {
            rows.Apply(PodRowOf.Absent(name, version));
        }

        return true;
    }

    private ObjectKey KeyOf(string name) => new("", "Pod", ns, name);
}
