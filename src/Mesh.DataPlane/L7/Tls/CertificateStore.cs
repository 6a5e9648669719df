using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Core.Certificates;
using Mesh.Core.Routing;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7.Tls;

/// <summary>
/// What handshakes need of each certificate, made once. A certificate that is replaced takes the keys of its sessions with it,
/// as they live with what is made here: no client resumes a session of a certificate that is not shown any more.
/// </summary>
internal sealed class CertificateStore(ILogger log)
{
    // What is spoken inside: a carrier of HTTP/2 adds its name here.
    private static readonly List<SslApplicationProtocol> Protocols = [SslApplicationProtocol.Http11];

    private readonly ConditionalWeakTable<TlsCertificate, Lazy<SslServerAuthenticationOptions?>> _made = [];
    private TlsRouting _known = TlsRouting.Empty;

    /// <summary>For the name that a client asks for: of its certificate, else of the default one; null when there is none to show.</summary>
    public SslServerAuthenticationOptions? Find(TlsRouting routing, string serverName)
    {
        var options = routing.Find(serverName) is { } certificate ? Of(certificate) : null;
        return options ?? (routing.Default is { } other ? Of(other) : null);
    }

    /// <summary>Makes what the routing holds and is not made yet, so that few handshakes wait for it. For one thread.</summary>
    public void Prepare(TlsRouting routing, CancellationToken stop)
    {
        if (ReferenceEquals(routing, _known))
        {
            return;
        }

        if (routing.Default is { } other)
        {
            Of(other); // the most names have it
        }

        foreach (var certificate in routing.Certificates.Values)
        {
            stop.ThrowIfCancellationRequested();
            Of(certificate);
        }

        _known = routing; // not before: what an exception left is made in the next run
    }

    private SslServerAuthenticationOptions? Of(TlsCertificate certificate)
    {
        try
        {
            return _made.GetValue(certificate, given => new Lazy<SslServerAuthenticationOptions?>(() => Make(given))).Value;
        }
        catch
        {
            _made.Remove(certificate); // a Lazy would throw for ever what was thrown once, as memory that was short
            throw;
        }
    }

    private SslServerAuthenticationOptions? Make(TlsCertificate certificate)
    {
        try
        {
            var pem = Encoding.ASCII.GetString(certificate.Pem.Span);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
#pragma warning disable CA2000 // It goes with the options: a handshake may be using them when the certificate is replaced.
            var leaf = X509Certificate2.CreateFromPem(pem, pem);
#pragma warning restore CA2000
            return new SslServerAuthenticationOptions
            {
                // Offline: nobody is asked for what the chain lacks.
                ServerCertificateContext = SslStreamCertificateContext.Create(leaf, chain, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = Protocols,
                AllowRenegotiation = false,
                AllowTlsResume = true,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            };
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // It was checked before it was told (CertificateSecret): the library's next version may think otherwise. Whatever it
            // thinks of one certificate, the others are shown, and the loop that prepares them goes on.
            DataPlaneLog.CertificateNotTaken(log, certificate.Secret is { } secret ? $"Secret {secret}" : "the cluster's authority", failure.GetType().Name);
            return null;
        }
    }
}
