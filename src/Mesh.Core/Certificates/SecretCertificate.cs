using System.Collections.Immutable;

namespace Mesh.Core.Certificates;

/// <summary>What a Secret that an Ingress names in <c>spec.tls</c> is to a gateway.</summary>
public abstract record SecretCertificate
{
    private SecretCertificate()
    {
    }

    /// <param name="Names">The DNS names that the leaf is for (its subjectAltName; RFC 9525 §2 knows no other place).</param>
    public sealed record Usable(TlsCertificate Certificate, ImmutableArray<string> Names, DateTimeOffset NotBefore, DateTimeOffset NotAfter) : SecretCertificate
    {
        private readonly HashSet<string> _names = new(Names, StringComparer.OrdinalIgnoreCase); // an Ingress may have thousands of hosts

        /// <summary>Whether a client that asks for the host takes the certificate for its (RFC 9525 §6.3).</summary>
        /// <param name="host">As in an Ingress: <c>*.example.com</c> is covered only by itself.</param>
        public bool Covers(string host)
        {
            var dot = host.IndexOf('.', StringComparison.Ordinal);
            var wildcard = dot > 0 && host[0] != '*' ? "*" + host[dot..] : null;
            return _names.Contains(host) || (wildcard is not null && _names.Contains(wildcard));
        }
    }

    /// <param name="Why">The end of a sentence that begins with the Secret's name; nothing that the Secret holds stands in it.</param>
    public sealed record Unusable(string Why) : SecretCertificate;
}
