using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Testing.Certificates;

/// <summary>Signs certificates by RSA with hashes that .NET's own generator does not take any more, too: PKCS #1 v1.5, or PSS where SHA-1 goes without saying.</summary>
internal sealed class AnyHashGenerator(RSA key, HashAlgorithmName hash, RSASignaturePadding padding) : X509SignatureGenerator
{
    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm)
    {
        if (padding == RSASignaturePadding.Pss)
        {
            return hash == HashAlgorithmName.SHA1 ? PssOfDefaults() : CreateForRSA(key, padding).GetSignatureAlgorithmIdentifier(hash);
        }

        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(hash.Name switch
            {
                "MD5" => "1.2.840.113549.1.1.4",
                "SHA1" => "1.2.840.113549.1.1.5",
                _ => "1.2.840.113549.1.1.11",
            });
            writer.WriteNull();
        }

        return writer.Encode();
    }

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.SignData(data, hash, padding);

    protected override PublicKey BuildPublicKey() => new(key);

    private static byte[] PssOfDefaults()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("1.2.840.113549.1.1.10");
            using (writer.PushSequence())
            {
                // Nothing: SHA-1 (RFC 8017 A.2.3).
            }
        }

        return writer.Encode();
    }
}
