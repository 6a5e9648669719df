namespace Mesh.Grains.Keeping;

/// <summary>
/// The uids that some object names as an owner's: the end of any other object leaves nothing to collect. Each look everywhere
/// makes it anew; between two of them it also holds what is named no more.
/// </summary>
internal sealed class NamedOwners
{
    private readonly Lock _lock = new();
    private HashSet<string>? _uids;

    /// <summary>True also while nobody has looked yet.</summary>
    public bool Has(string uid)
    {
        lock (_lock)
        {
            return _uids?.Contains(uid) ?? true;
        }
    }

    public void Add(IEnumerable<OwnerReference> owners)
    {
        lock (_lock)
        {
            _uids?.UnionWith(owners.Select(owner => owner.Uid));
        }
    }

    /// <summary>
    /// Makes it anew from all that there is. What is read holds every change that was added before, and a change that comes
    /// meanwhile waits and is added after: so none is lost between.
    /// </summary>
    /// <param name="read">Every object with owners, kind by kind: what changes between two of them waits, as above.</param>
    public T Renew<T>(Func<T> read, Func<T, IEnumerable<OwnerReference>> owners)
    {
        lock (_lock)
        {
            var found = read();
            _uids = owners(found).Select(owner => owner.Uid).ToHashSet(StringComparer.Ordinal);
            return found;
        }
    }
}
