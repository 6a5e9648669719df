using System.Collections.Immutable;
using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>
/// Which Secret's certificate a client is shown, by the name that it asks for (SNI, RFC 6066 §3); immutable. Precedence as of
/// requests: exact, then one-label wildcard, then the empty host; of two Ingresses that name one host the older wins, whatever
/// becomes of its Secret: a name never has the certificate of one owner today and of another tomorrow.
/// </summary>
public sealed class SniTable
{
    private const string AnyLabel = "*.";

    private ImmutableDictionary<NamespacedName, Ingress> _ingresses = ImmutableDictionary<NamespacedName, Ingress>.Empty;
    private SpanMap<SniClaims> _hosts = new(StringComparison.OrdinalIgnoreCase);
    private SpanMap<SniClaims> _wildcards = new(StringComparison.OrdinalIgnoreCase); // by what stands behind the "*."
    private SniClaims? _anyName;

    private SniTable()
    {
    }

    public static SniTable Empty { get; } = new();

    /// <summary>Adds what the Ingress says of TLS, or replaces what the one of its name said.</summary>
    public SniTable With(Ingress ingress)
    {
        if (_ingresses.TryGetValue(ingress.Name, out var held) && held.Uid == ingress.Uid && held.ResourceVersion == ingress.ResourceVersion)
        {
            return this;
        }

        var without = Without(ingress.Name);
        if (ingress.Tls.IsEmpty)
        {
            return without;
        }

        var next = without.Copy();
        next._ingresses = next._ingresses.SetItem(ingress.Name, ingress);
        var position = 0;
        foreach (var name in TlsNames.Of(ingress))
        {
            next.Put(name.Host, (next.Held(name.Host) ?? SniClaims.None).With(new SniClaim(ingress, position++, name.Secret)));
        }

        return next;
    }

    public SniTable Without(NamespacedName name)
    {
        if (!_ingresses.TryGetValue(name, out var ingress))
        {
            return this;
        }

        var next = Copy();
        next._ingresses = next._ingresses.Remove(name);
        foreach (var host in TlsNames.Of(ingress).Select(tls => tls.Host).Distinct())
        {
            next.Put(host, next.Held(host)?.Without(name));
        }

        return next;
    }

    /// <summary>Who says what is shown for the name: null when nobody does, and the default certificate is.</summary>
    /// <param name="serverName">As the client sent it; empty when it sent none.</param>
    public SniClaim? Find(ReadOnlySpan<char> serverName)
    {
        var name = RequestHost.NameOf(serverName);
        return (name.IsEmpty ? _anyName : _hosts.Find(name) ?? Wildcard(name) ?? _anyName)?.Winner;
    }

    private SniClaims? Wildcard(ReadOnlySpan<char> name)
    {
        var parent = RequestHost.ParentOf(name);
        return parent.IsEmpty ? null : _wildcards.Find(parent);
    }

    private SniClaims? Held(string host) =>
        host.Length == 0 ? _anyName
        : host.StartsWith(AnyLabel, StringComparison.Ordinal) ? _wildcards.Find(host.AsSpan(AnyLabel.Length))
        : _hosts.Find(host);

    private void Put(string host, SniClaims? claims)
    {
        if (host.Length == 0)
        {
            _anyName = claims;
        }
        else if (host.StartsWith(AnyLabel, StringComparison.Ordinal))
        {
            _wildcards = _wildcards.With(host[AnyLabel.Length..], claims);
        }
        else
        {
            _hosts = _hosts.With(host, claims);
        }
    }

    private SniTable Copy() => (SniTable)MemberwiseClone();
}

/// <summary>What one Ingress wants shown for one name.</summary>
/// <param name="Position">Place within the Ingress: of two equal names the first wins.</param>
/// <param name="Secret">Null: the default certificate.</param>
public sealed record SniClaim(Ingress Ingress, int Position, NamespacedName? Secret);

/// <summary>All that is said of one name, the winner first; the next is there when it goes.</summary>
internal sealed record SniClaims(ImmutableArray<SniClaim> Ordered)
{
    private static readonly Comparer<SniClaim> Order = Comparer<SniClaim>.Create(
        static (one, other) => Claim.Compare(one.Ingress, other.Ingress) is var byAge and not 0 ? byAge : one.Position.CompareTo(other.Position));

    public static SniClaims None { get; } = new(ImmutableArray<SniClaim>.Empty);

    public SniClaim Winner => Ordered[0];

    public SniClaims With(SniClaim claim) => new(Ordered.Insert(~Ordered.BinarySearch(claim, Order), claim));

    /// <summary>Null when nobody says anything of the name any more.</summary>
    public SniClaims? Without(NamespacedName ingress) =>
        Ordered.RemoveAll(claim => claim.Ingress.Name == ingress) is { IsEmpty: false } rest ? new SniClaims(rest) : null;
}
