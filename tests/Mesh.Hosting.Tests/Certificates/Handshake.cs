using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mesh.Hosting.Certificates;

namespace Mesh.Hosting.Tests.Certificates;

/// <summary>A real TLS handshake with what a listener shows, by a client with a clock of its own.</summary>
internal static class Handshake
{
    /// <summary>Null when it succeeds, else what the client refuses.</summary>
    public static async Task<string?> RefusalAsync(ServingCertificate serving, string trustedPem, DateTimeOffset clientClock, CancellationToken stop)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, stop);
        using var accepted = await listener.AcceptTcpClientAsync(stop);
        await using var server = new SslStream(accepted.GetStream());
        var serves = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = serving.Current }, stop);
        using var trusted = X509Certificate2.CreateFromPem(trustedPem);
        string? refusal = null;
        await using var caller = new SslStream(client.GetStream());
        await caller.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { trusted },
                    RevocationMode = X509RevocationMode.NoCheck,
                    VerificationTime = clientClock.UtcDateTime,
                },
                RemoteCertificateValidationCallback = (_, _, chain, errors) =>
                {
                    refusal = errors == SslPolicyErrors.None
                        ? null
                        : $"{errors}: {string.Join(", ", chain!.ChainStatus.Select(status => status.Status))}";
                    return true;
                },
            },
            stop);
        await serves;
        return refusal;
    }
}
