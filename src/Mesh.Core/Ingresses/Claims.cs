using System.Collections.Immutable;
using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>What one Ingress says about one host and path (or as a default). Its answer is made once and returned as it is.</summary>
/// <param name="Position">Place within the Ingress: of two equal paths the first wins.</param>
internal sealed record Claim(Ingress Ingress, int Position, IngressMatch.Found Match) : IComparable<Claim>
{
    /// <summary>The older Ingress first, then by name, then by place.</summary>
    public int CompareTo(Claim? other)
    {
        if (other is null)
        {
            return -1;
        }

        var byAge = Compare(Ingress, other.Ingress);
        return byAge != 0 ? byAge : Position.CompareTo(other.Position);
    }

    /// <summary>The older Ingress first, then by name.</summary>
    public static int Compare(Ingress one, Ingress other)
    {
        var byAge = one.CreatedVersion.CompareTo(other.CreatedVersion);
        return byAge != 0 ? byAge : one.Name.CompareTo(other.Name);
    }
}

/// <summary>All claims to one thing, in order: the first wins, and the next is there when it goes.</summary>
internal readonly record struct Claims(ImmutableArray<Claim> Ordered)
{
    public bool IsEmpty => Ordered.IsDefaultOrEmpty;

    public Claim? Winner => IsEmpty ? null : Ordered[0];

    public Claims With(Claim claim)
    {
        var ordered = IsEmpty ? [] : Ordered;
        var index = ordered.BinarySearch(claim);
        return new Claims(index < 0 ? ordered.Insert(~index, claim) : ordered.SetItem(index, claim));
    }

    public Claims Without(NamespacedName ingress) =>
        IsEmpty ? this : new Claims(Ordered.RemoveAll(claim => claim.Ingress.Name == ingress));
}
