using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;

namespace Mesh.Silo.Certificates;

/// <summary>The cluster's own CA, made at first start and kept in the data directory.</summary>
internal sealed class ClusterAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(397);

    private readonly X509Certificate2 _certificate;

    private ClusterAuthority(X509Certificate2 certificate)
    {
        _certificate = certificate;
    }

    public string CertificatePem => _certificate.ExportCertificatePem();

    public static ClusterAuthority Open(DataDirectory data, DateTimeOffset now)
    {
        var certificatePath = data.At("ca.crt");
        var keyPath = data.At("ca.key");
        if (!File.Exists(certificatePath))
        {
            // The key first: a certificate without its key would be found, and lost, at every later start.
            Create(now, certificatePath, keyPath);
        }

        try
        {
            return new ClusterAuthority(X509Certificate2.CreateFromPemFile(certificatePath, keyPath));
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"the cluster's CA in {data.FullPath} (ca.crt, ca.key) cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>A certificate for the API, with these names and addresses in it.</summary>
    public X509Certificate2 IssueServer(IEnumerable<string> names, IEnumerable<IPAddress> addresses, DateTimeOffset now)
    {
        var subjects = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Distinct(StringComparer.Ordinal))
        {
            subjects.AddDnsName(name);
        }

        foreach (var address in addresses.Distinct())
        {
            subjects.AddIpAddress(address);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mesh-api", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        request.CertificateExtensions.Add(subjects.Build());
        using var issued = request.Create(_certificate, now - ClockSkew, Earlier(now + ServerLife, _certificate.NotAfter), RandomNumberGenerator.GetBytes(16));
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose() => _certificate.Dispose();

    private static DateTimeOffset Earlier(DateTimeOffset first, DateTime second) => first < second ? first : new DateTimeOffset(second);

    private static void Create(DateTimeOffset now, string certificatePath, string keyPath)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mesh-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now - ClockSkew, now + AuthorityLife);
        AtomicFile.Write(keyPath, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        AtomicFile.Write(certificatePath, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));
    }
}
