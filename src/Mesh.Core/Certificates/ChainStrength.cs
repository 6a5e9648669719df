using System.Formats.Asn1;
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

    private const string Pss = "1.2.840.113549.1.1.10";

    // Of hashes by themselves: MD2, MD4, MD5, SHA-1.
    private static readonly HashSet<string> BrokenDigests = new(StringComparer.Ordinal)
    {
        "1.2.840.113549.2.2", "1.2.840.113549.2.4", "1.2.840.113549.2.5", "1.3.14.3.2.26",
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
        return isOwn ? null
            : BrokenHashes.Contains(certificate.SignatureAlgorithm.Value ?? "") ? $"that was signed with {certificate.SignatureAlgorithm.FriendlyName}: clients take SHA-256 and better"
            : certificate.SignatureAlgorithm.Value == Pss && IsBrokenPss(certificate) ? "that was signed with RSASSA-PSS over SHA-1 or older: clients take SHA-256 and better"
            : null;
    }

    /// <summary>Which hash RSASSA-PSS signs stands in its parameters; it is SHA-1 where they do not say (RFC 8017 A.2.3, RFC 4055 §3.1).</summary>
    private static bool IsBrokenPss(X509Certificate2 certificate)
    {
        try
        {
            var signed = new AsnReader(certificate.RawDataMemory, AsnEncodingRules.BER).ReadSequence();
            signed.ReadEncodedValue(); // what is signed
            var algorithm = signed.ReadSequence();
            algorithm.ReadObjectIdentifier();
            var parameters = algorithm.HasData ? algorithm.ReadSequence() : null;
            var hash = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
            return parameters is not { HasData: true } || !parameters.PeekTag().HasSameClassAndValue(hash)
                || BrokenDigests.Contains(parameters.ReadSequence(hash).ReadSequence().ReadObjectIdentifier());
        }
        catch (AsnContentException)
        {
            return true; // nobody can tell which
        }
    }
}
