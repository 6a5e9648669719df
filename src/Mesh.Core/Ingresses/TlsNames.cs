using System.Collections.Immutable;
using Mesh.Core.Certificates;
using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>Which names an Ingress wants which certificate for: its <c>spec.tls</c> after the defaults.</summary>
public static class TlsNames
{
    /// <summary>
    /// In the order of <c>spec.tls</c>. An entry without hosts is for those hosts of the rules that no other entry names, where
    /// the empty host stands for every name (and for none): so an Ingress without a host can say what every client is shown.
    /// </summary>
    public static IEnumerable<TlsName> Of(Ingress ingress)
    {
        var named = ingress.Tls.SelectMany(tls => tls.Hosts).ToImmutableHashSet(StringComparer.OrdinalIgnoreCase);
        string[] others = ingress.Rules.IsEmpty ? [""] : [.. ingress.Rules.Select(rule => rule.Host).Distinct().Where(host => !named.Contains(host))];
        return ingress.Tls.SelectMany(tls => (tls.Hosts.IsEmpty ? others : tls.Hosts.AsEnumerable()).Select(host => new TlsName(host, tls.Secret)));
    }

    /// <summary>The Secrets that the Ingresses name and the gateways take: all of them, or those of the oldest Ingresses.</summary>
    /// <param name="routed">The Ingresses that are routed; nothing is shown for any other.</param>
    public static ImmutableHashSet<NamespacedName> SecretsOf(IEnumerable<Ingress> routed, int most = CertificateLimits.Secrets) =>
    [
        .. routed.Where(ingress => !ingress.Tls.IsEmpty).Order(Comparer<Ingress>.Create(Claim.Compare))
            .SelectMany(ingress => ingress.Tls).Select(tls => tls.Secret).OfType<NamespacedName>().Distinct().Take(most),
    ];
}

/// <param name="Host">A name, <c>*.example.com</c> for one label in front, or empty for every name.</param>
/// <param name="Secret">Null: the default certificate.</param>
public readonly record struct TlsName(string Host, NamespacedName? Secret);
