using System.Security.Cryptography.X509Certificates;

namespace Mesh.Core.Certificates;

/// <summary>
/// Whether clients take every certificate of a chain. OpenSSL from version 3 on takes no weaker one into a handshake either
/// (<c>SSL_CTX_set_security_level</c>: 112 bits), and finds that out only inside it.
/// </summary>
internal static class ChainStrength
{
    public const int ShortestRsa = 2048;

    private const int ShortestCurve = 224;

    // RFC 8017 A.2.4, RFC 3279 §2.2: by MD2, MD4, MD5 or SHA-1, in their spellings for RSA, DSA and ECDSA.
    private static readonly HashSet<string> BrokenHashes = new(StringComparer.Ordinal)
    {
        "1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5",
        "1.3.14.3.2.3", "1.3.14.3.2.13", "1.3.14.3.2.27", "1.3.14.3.2.29", "1.2.840.10040.4.3", "1.2.840.10045.4.1",
    };

    /// <summary>The end of a sentence that begins with the Secret's name; null when none is weak.</summary>
    public static string? WhyWeak(X509Certificate2Collection chain)
    {
        for (var index = 0; index < chain.Count; index++)
        {
            if (WhyWeak(chain[index]) is { } why)
            {
                return $"as number {index + 1}, a certificate {why}";
            }
        }

        return null;
    }

    private static string? WhyWeak(X509Certificate2 certificate)
    {
        using var rsa = certificate.GetRSAPublicKey();
        if (rsa is { KeySize: < ShortestRsa })
        {
            return $"with an RSA key of {rsa.KeySize} bits: {ShortestRsa} are the least that clients take";
        }

        using var curve = certificate.GetECDsaPublicKey();
        if (curve is { KeySize: < ShortestCurve })
        {
            return $"with an ECDSA key of {curve.KeySize} bits: {ShortestCurve} are the least that clients take";
        }

        // Its own signature proves nothing about a certificate, so nobody looks at that.
        var isOwn = certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
        return !isOwn && BrokenHashes.Contains(certificate.SignatureAlgorithm.Value ?? "")
            ? $"that was signed with {certificate.SignatureAlgorithm.FriendlyName}: clients take SHA-256 and better"
            : null;
    }
}
