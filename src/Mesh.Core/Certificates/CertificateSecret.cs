using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Mesh.Core.Json;

namespace Mesh.Core.Certificates;

/// <summary>
/// Reads the certificate and key of a Secret: of type <c>kubernetes.io/tls</c>, or <c>Opaque</c> with the same two keys. The
/// one place that decides which Secrets a gateway can show, for the node that shows them and for the Event that says why not.
/// </summary>
public static class CertificateSecret
{
    private const string ChainKey = "tls.crt";
    private const string PrivateKey = "tls.key";
    private const string AlternativeNames = "2.5.29.17";

    // The curves of TLS 1.3 (RFC 8446 §4.2.3): P-256, P-384, P-521.
    private static readonly ImmutableArray<string> Curves = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

    public static SecretCertificate Read(ReadOnlyMemory<byte> document)
    {
        try
        {
            return JsonFields.Read(document, "Secret", Read);
        }
        catch (FormatException)
        {
            return new SecretCertificate.Unusable("cannot be read"); // what was wrong with it may be a part of it
        }
    }

    private static SecretCertificate Read(JsonElement root)
    {
        if (root.Text("type") is not (null or "" or "Opaque" or "kubernetes.io/tls"))
        {
            return new SecretCertificate.Unusable("is neither of type kubernetes.io/tls nor Opaque");
        }

        var data = root.Child("data");
        return Value(data, ChainKey, CertificateLimits.ChainBytes, out var chain)
            ?? Value(data, PrivateKey, CertificateLimits.KeyBytes, out var key)
            ?? Read(chain, key);
    }

    private static SecretCertificate.Unusable? Value(JsonElement data, string name, int longest, out string text)
    {
        text = "";
        if (!data.Has(name) || !data.GetProperty(name).TryGetBytesFromBase64(out var bytes) || bytes.Length == 0)
        {
            return new SecretCertificate.Unusable($"has no {name}");
        }

        if (bytes.Length > longest)
        {
            return new SecretCertificate.Unusable($"has a {name} of {bytes.Length} bytes, more than the {longest} that are served");
        }

        text = Encoding.Latin1.GetString(bytes);
        return null;
    }

    private static SecretCertificate Read(string chainText, string keyText)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(chainText);
            return chain.Count switch
            {
                0 => new SecretCertificate.Unusable($"has no certificate in PEM in {ChainKey}"),
                > CertificateLimits.ChainLength => new SecretCertificate.Unusable(
                    $"has {chain.Count} certificates in {ChainKey}, more than the {CertificateLimits.ChainLength} that are served"),
                _ => Read(chain, keyText),
            };
        }
        catch (CryptographicException)
        {
            return new SecretCertificate.Unusable($"has something in {ChainKey} that is no certificate");
        }
        finally
        {
            foreach (var certificate in chain)
            {
                certificate.Dispose();
            }
        }
    }

    private static SecretCertificate Read(X509Certificate2Collection chain, string keyText)
    {
        var leaf = chain[0];
        using var rsa = leaf.GetRSAPublicKey();
        using var curve = rsa is null ? leaf.GetECDsaPublicKey() : null;
        if (rsa is { KeySize: < ChainStrength.ShortestRsa })
        {
            return new SecretCertificate.Unusable($"has an RSA key of {rsa.KeySize} bits: {ChainStrength.ShortestRsa} are the least that clients take");
        }

        if (rsa is { KeySize: > CertificateLimits.RsaBits })
        {
            return new SecretCertificate.Unusable($"has an RSA key of {rsa.KeySize} bits, more than the {CertificateLimits.RsaBits} that are served");
        }

        if (rsa is null && !IsServed(curve))
        {
            return new SecretCertificate.Unusable("has a key of a kind that is not served: RSA, and ECDSA on P-256, P-384 or P-521, are");
        }

        if (ChainStrength.WhyWeak(chain) is { } weak)
        {
            return new SecretCertificate.Unusable($"has in {ChainKey}, {weak}");
        }

        using var key = Key(rsa is not null, keyText);
        return key is null ? new SecretCertificate.Unusable($"has in {PrivateKey} no private key in PEM, unencrypted and of the certificate's kind")
            : IsOf(leaf, key) ? new SecretCertificate.Usable(Bundle(chain, key), Names(leaf), leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime())
            : new SecretCertificate.Unusable($"has in {PrivateKey} another key than that of the first certificate in {ChainKey}, which must be the host's own");
    }

    private static bool IsServed(ECDsa? key) => key is not null && Curves.Contains(key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value ?? "");

    private static AsymmetricAlgorithm? Key(bool isRsa, string text)
    {
        AsymmetricAlgorithm key = isRsa ? RSA.Create() : ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }

    /// <summary>A public key alone imports as well, and is found out here too.</summary>
    private static bool IsOf(X509Certificate2 leaf, AsymmetricAlgorithm key)
    {
        try
        {
            using var whole = key is RSA rsa ? leaf.CopyWithPrivateKey(rsa) : leaf.CopyWithPrivateKey((ECDsa)key);
            return whole.HasPrivateKey;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Written anew, so that nothing else of what the Secret holds goes with it.</summary>
    private static TlsCertificate Bundle(X509Certificate2Collection chain, AsymmetricAlgorithm key)
    {
        var pem = new StringBuilder();
        foreach (var certificate in chain)
        {
            pem.AppendLine(certificate.ExportCertificatePem());
        }

        return new TlsCertificate(Encoding.ASCII.GetBytes(pem.AppendLine(key.ExportPkcs8PrivateKeyPem()).ToString()));
    }

    private static ImmutableArray<string> Names(X509Certificate2 leaf)
    {
        try
        {
            return leaf.Extensions[AlternativeNames] is { } names
                ? [.. new X509SubjectAlternativeNameExtension(names.RawData, names.Critical).EnumerateDnsNames()]
                : [];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }
}
