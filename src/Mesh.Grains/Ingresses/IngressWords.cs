using Mesh.Core.Ingresses;

namespace Mesh.Grains.Ingresses;

/// <summary>The words by which Ingresses are found: what they claim, and what they name.</summary>
internal static class IngressWords
{
    public static IEnumerable<IngressClaim> ClaimsOf(Ingress ingress) =>
        ingress.Rules.SelectMany(rule => rule.Paths.Select(path => new IngressClaim(rule.Host, path.Path, path.Type == PathType.Exact)));

    /// <summary>One word a claim: no host holds a line's end.</summary>
    public static string Of(IngressClaim claim) => $"{(claim.IsExact ? "=" : "")}{claim.Host}\n{claim.Path}";

    public static IEnumerable<string> Claims(Ingress ingress) => ClaimsOf(ingress).Select(Of);

    public static IEnumerable<string> TlsNames(Ingress ingress) => Core.Ingresses.TlsNames.Of(ingress).Select(name => name.Host);

    public static IEnumerable<string> Backends(Ingress ingress) => BackendsOf(ingress).Select(backend => backend.Service.ToString());

    public static IEnumerable<string> Secrets(Ingress ingress) =>
        ingress.Tls.Where(tls => tls.Secret is not null).Select(tls => tls.Secret!.ToString());

    public static IEnumerable<IngressBackend> BackendsOf(Ingress ingress) =>
        ingress.Rules.SelectMany(rule => rule.Paths).Select(path => path.Backend).Append(ingress.DefaultBackend).OfType<IngressBackend>();
}

/// <summary>A host and path that an Ingress wants; of two Ingresses that want the same, the older has it.</summary>
internal readonly record struct IngressClaim(string Host, string Path, bool IsExact);
