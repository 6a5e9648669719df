using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Testing.Certificates;

/// <summary>Signs certificates by RSA (PKCS #1 v1.5) with hashes that .NET's own generator does not take any more, too.</summary>
internal sealed class AnyHashGenerator(RSA key, HashAlgorithmName hash) : X509SignatureGenerator
{
    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm)
    {
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

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.SignData(data, hash, RSASignaturePadding.Pkcs1);

    protected override PublicKey BuildPublicKey() => new(key);
}
