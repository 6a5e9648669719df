namespace Mesh.Core.Routing;

/// <summary>
/// The three orders of a row (a Pod, or an endpoint made from it), each compared on its own: who it is, what was
/// asked for, and whether it lives. No message lowers any part.
/// </summary>
/// <param name="Uid">The Pod's uid; liveness is compared only within one.</param>
/// <param name="CreatedVersion">resourceVersion of the object's creation; a greater one replaces everything of the lesser.</param>
/// <param name="SpecVersion">resourceVersion of the labels, ports and address.</param>
/// <param name="Liveness"><c>incarnation &lt;&lt; 32 | count</c>, from the Pod's node.</param>
public readonly record struct RowOrder(string Uid, long CreatedVersion, long SpecVersion, ulong Liveness)
{
    /// <summary>Whether this row belongs to a later object of the same name.</summary>
    public bool Replaces(RowOrder older) => CompareIdentity(older) > 0;

    public bool IsSameObject(RowOrder other) => Uid == other.Uid;

    /// <summary>The later object is the greater; the uid only makes the order total.</summary>
    public int CompareIdentity(RowOrder other)
    {
        var byCreation = CreatedVersion.CompareTo(other.CreatedVersion);
        return byCreation != 0 ? byCreation : string.CompareOrdinal(Uid, other.Uid);
    }
}
