using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Certificates;

/// <summary>
/// The cluster's own CA, made at first start and kept in the data directory. No clock is asked for its dates: it is valid
/// whenever a machine may think it is.
/// </summary>
public sealed class ClusterAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string OwnName = "CN=mesh-ca";

    /// <summary>A machine without a clock of its own starts at the epoch, or soon after.</summary>
    private static readonly DateTimeOffset ValidFrom = DateTimeOffset.UnixEpoch;
    private static readonly DateTimeOffset ValidTo = new(2099, 12, 31, 23, 59, 59, TimeSpan.Zero);

    /// <summary>Before now: for clients whose clocks are behind, and for clocks that are set back. With the life after now still under the 825 days that some clients allow.</summary>
    private static readonly TimeSpan ServerPast = TimeSpan.FromDays(400);
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(397);

    private readonly X509Certificate2 _certificate;

    private ClusterAuthority(X509Certificate2 certificate)
    {
        _certificate = certificate;
    }

    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <exception cref="StartRefusedException">It cannot be read, or is one of the user's own that is not valid now.</exception>
    public static ClusterAuthority Open(DataDirectory data, DateTimeOffset now)
    {
        var certificatePath = data.At("ca.crt");
        var keyPath = data.At("ca.key");
        if (!File.Exists(certificatePath))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            // The key first: a certificate without its key would be found, and lost, at every later start.
            AtomicFile.Write(keyPath, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
            Sign(key, certificatePath);
        }

        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
            if (IsOwn(certificate) && !HasOwnDates(certificate))
            {
                // Made by the clock of its first start. The same name and key: who trusts the old one trusts what the new one signs.
                using (certificate)
                using (var key = certificate.GetECDsaPrivateKey())
                {
                    Sign(key!, certificatePath);
                }

                certificate = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
            }

            return IsValidAt(certificate, now) ? new ClusterAuthority(certificate) : throw Refuse(data, certificate, now);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"the cluster's CA in {data.FullPath} (ca.crt, ca.key) cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>A certificate for a server, with these names and addresses in it. Whatever the clock says, there is one.</summary>
    /// <param name="server">What it calls itself, for people: clients look at the names.</param>
    public X509Certificate2 IssueServer(string server, IEnumerable<string> names, IEnumerable<IPAddress> addresses, DateTimeOffset now)
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
        var request = new CertificateRequest("CN=" + server, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        request.CertificateExtensions.Add(subjects.Build());
        using var issued = request.Create(
            _certificate, Within(now, -ServerPast), Within(now, ServerLife), RandomNumberGenerator.GetBytes(16));
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose() => _certificate.Dispose();

    /// <summary>An authority signs nothing outside its own life; counted from a now within it.</summary>
    private DateTimeOffset Within(DateTimeOffset now, TimeSpan away)
    {
        var (first, last) = Life(_certificate);
        return Clamp(Clamp(now, first, last) + away, first, last);
    }

    private static DateTimeOffset Clamp(DateTimeOffset moment, DateTimeOffset first, DateTimeOffset last) =>
        moment < first ? first : moment > last ? last : moment;

    private static (DateTimeOffset First, DateTimeOffset Last) Life(X509Certificate2 certificate) =>
        (new DateTimeOffset(certificate.NotBefore).ToUniversalTime(), new DateTimeOffset(certificate.NotAfter).ToUniversalTime());

    /// <summary>Made by Mesh, not put there by a user.</summary>
    private static bool IsOwn(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey();
        return key is not null && certificate.Subject == OwnName && certificate.Issuer == OwnName;
    }

    private static bool HasOwnDates(X509Certificate2 certificate) => Life(certificate) == (ValidFrom, ValidTo);

    private static bool IsValidAt(X509Certificate2 certificate, DateTimeOffset now) => Clamp(now, Life(certificate).First, Life(certificate).Last) == now;

    private static StartRefusedException Refuse(DataDirectory data, X509Certificate2 certificate, DateTimeOffset now)
    {
        var (first, last) = Life(certificate);
        certificate.Dispose();
        return new StartRefusedException(string.Create(
            CultureInfo.InvariantCulture,
            $"the CA in {data.FullPath} (ca.crt) is valid from {first:u} to {last:u}, and this machine's clock says {now:u}: set the clock, or put another CA there"));
    }

    private static void Sign(ECDsa key, string certificatePath)
    {
        var request = new CertificateRequest(OwnName, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(ValidFrom, ValidTo);
        AtomicFile.Write(certificatePath, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));
    }
}
