using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Hosting.Certificates;

namespace Mesh.Silo.Certificates;

/// <summary>What this machine's gateway shows names without a certificate of their own, as its node is told it: with the key, as PEM.</summary>
internal sealed class IngressCertificate(ServingCertificate certificate)
{
    private readonly Lock _gate = new();
    private X509Certificate2? _written;
    private ReadOnlyMemory<byte> _pem;

    /// <summary>The same memory until it is renewed.</summary>
    public ReadOnlyMemory<byte> Pem
    {
        get
        {
            var current = certificate.Current.TargetCertificate;
            lock (_gate)
            {
                if (!ReferenceEquals(current, _written))
                {
                    using var key = current.GetECDsaPrivateKey()!;
                    _pem = Encoding.ASCII.GetBytes($"{current.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
                    _written = current;
                }

                return _pem;
            }
        }
    }
}
