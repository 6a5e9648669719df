using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.Testing.Certificates;

/// <summary>An authority of a test's own, for the certificates that its Secrets hold.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = new(2090, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;

    public TestAuthority()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _root = Request("CN=test root", rootKey, isAuthority: true, []).CreateSelfSigned(From, To);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = Request("CN=test intermediate", key, isAuthority: true, []).Create(_root, From, To, RandomNumberGenerator.GetBytes(8));
        _intermediate = signed.CopyWithPrivateKey(key);
    }

    public X509Certificate2 Root => _root;

    public string RootPem => _root.ExportCertificatePem();

    /// <summary>A leaf for the names, and the intermediate that signed it.</summary>
    public TestCertificate Issue(params string[] names) => Issue(names, From, To);

    public TestCertificate Issue(string[] names, DateTimeOffset from, DateTimeOffset to)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Signed(Request("CN=leaf", key, isAuthority: false, names), key, from, to);
    }

    public TestCertificate IssueRsa(int bits, params string[] names)
    {
        using var key = RSA.Create(bits);
        var request = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Extend(request, isAuthority: false, names);
        return Signed(request, key, From, To);
    }

    /// <summary>A leaf whose intermediate has an RSA key of so many bits, and signs with this hash.</summary>
    public TestCertificate IssueThrough(int bits, HashAlgorithmName hash, params string[] names) => IssueThrough(bits, hash, RSASignaturePadding.Pkcs1, names);

    public TestCertificate IssueThrough(int bits, HashAlgorithmName hash, RSASignaturePadding padding, params string[] names)
    {
        using var signing = RSA.Create(bits);
        var above = new CertificateRequest("CN=test RSA intermediate", signing, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Extend(above, isAuthority: true, []);
        using var root = _root.GetECDsaPrivateKey()!;
        using var intermediate = above.Create(_root.SubjectName, X509SignatureGenerator.CreateForECDsa(root), From, To, RandomNumberGenerator.GetBytes(8));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = Request("CN=leaf", key, isAuthority: false, names)
            .Create(intermediate.SubjectName, new AnyHashGenerator(signing, hash, padding), From, To, RandomNumberGenerator.GetBytes(8));
        return new TestCertificate($"{leaf.ExportCertificatePem()}\n{intermediate.ExportCertificatePem()}\n", key.ExportPkcs8PrivateKeyPem() + "\n", leaf.Thumbprint);
    }

    /// <summary>A leaf with a public key of so many whole bytes, which no private one belongs to: making that one would take seconds.</summary>
    public TestCertificate IssueWithPublicKey(int bytes, params string[] names)
    {
        var modulus = RandomNumberGenerator.GetBytes(bytes);
        modulus[0] |= 0x80;
        modulus[^1] |= 1;
        using var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = [1, 0, 1] });
        var request = new CertificateRequest(new X500DistinguishedName("CN=leaf"), new PublicKey(key), HashAlgorithmName.SHA256);
        Extend(request, isAuthority: false, names);
        using var other = RSA.Create(2048);
        return Signed(request, other, From, To);
    }

    /// <summary>A leaf that nobody else signed.</summary>
    public static TestCertificate SelfSigned(HashAlgorithmName hash, params string[] names)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Extend(request, isAuthority: false, names);
        using var leaf = request.Create(request.SubjectName, new AnyHashGenerator(key, hash, RSASignaturePadding.Pkcs1), From, To, RandomNumberGenerator.GetBytes(8));
        return new TestCertificate(leaf.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n", leaf.Thumbprint);
    }

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
    }

    private TestCertificate Signed(CertificateRequest request, AsymmetricAlgorithm key, DateTimeOffset from, DateTimeOffset to)
    {
        using var signing = _intermediate.GetECDsaPrivateKey()!;
        var by = X509SignatureGenerator.CreateForECDsa(signing);
        using var leaf = request.Create(_intermediate.SubjectName, by, from, to, RandomNumberGenerator.GetBytes(8));
        return new TestCertificate(
            $"{leaf.ExportCertificatePem()}\n{_intermediate.ExportCertificatePem()}\n", key.ExportPkcs8PrivateKeyPem() + "\n", leaf.Thumbprint);
    }

    private static CertificateRequest Request(string subject, ECDsa key, bool isAuthority, string[] names)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        Extend(request, isAuthority, names);
        return request;
    }

    private static void Extend(CertificateRequest request, bool isAuthority, string[] names)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (names.Length > 0)
        {
            var subjects = new SubjectAlternativeNameBuilder();
            Array.ForEach(names, subjects.AddDnsName);
            request.CertificateExtensions.Add(subjects.Build());
        }
    }
}

/// <param name="Chain">Leaf first, PEM.</param>
/// <param name="Key">PEM.</param>
/// <param name="Thumbprint">Of the leaf.</param>
public sealed record TestCertificate(string Chain, string Key, string Thumbprint)
{
    /// <summary>As a gateway is told it.</summary>
    public byte[] Bundle => Encoding.ASCII.GetBytes(Chain + Key);

    /// <summary>A Secret that holds it.</summary>
    public string Secret(string ns, string name, string type = "kubernetes.io/tls", string more = "") => $$$"""
        {"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"{{{ns}}}","name":"{{{name}}}","uid":"uid-{{{name}}}"},"type":"{{{type}}}",
        "data":{ {{{more}}}"tls.crt":"{{{Base64(Chain)}}}","tls.key":"{{{Base64(Key)}}}"} }
        """;

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
