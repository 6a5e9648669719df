using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>An Ingress with <c>tls</c>: its host is shown the certificate of a Secret that was made here.</summary>
internal sealed class Https(Cluster cluster, Teller tell, CancellationToken stop)
{
    private const string Host = "secure.example.com";
    private const string SecretName = "secure-example-com";

    public async Task ShowAsync(string manifest)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned(key);
        await cluster.Api.CreateAsync(Secret(certificate, key), stop);
        await cluster.Api.CreateAllAsync(manifest, stop);

        using var client = Trusting(certificate);
        string? pod = null;
        await Cluster.WaitAsync("HTTPS is answered with the Secret's certificate", async token => (pod = await TryAsync(client, token)) is not null, null, stop);
        tell.Fact(true, $"https://{Host}/ was answered by {pod}, with the certificate of Secret {SecretName}");
    }

    private static X509Certificate2 SelfSigned(ECDsa key)
    {
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Host);
        request.CertificateExtensions.Add(names.Build());
#pragma warning disable RS0030 // Certificates are valid by the wall clock.
        var now = TimeProvider.System.GetUtcNow();
#pragma warning restore RS0030
        return request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }

    private static string Secret(X509Certificate2 certificate, ECDsa key) =>
        $$"""
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{SecretName}}"}, "type": "kubernetes.io/tls",
         "data": {"tls.crt": "{{Base64(certificate.ExportCertificatePem())}}", "tls.key": "{{Base64(key.ExportPkcs8PrivateKeyPem())}}"} }
        """;

    private static string Base64(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem));

    /// <summary>Null while another certificate is shown, or nobody answers.</summary>
    private static async Task<string?> TryAsync(HttpClient client, CancellationToken stop)
    {
        try
        {
            using var answer = await client.GetAsync($"https://{Host}/", stop);
            using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(stop));
            return answer.StatusCode == HttpStatusCode.OK ? body.RootElement.GetProperty("pod").GetString() : null;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or AuthenticationException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Goes to this machine's gateway for every name, and believes this certificate alone.</summary>
    private HttpClient Trusting(X509Certificate2 certificate) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(cluster.IngressTls, token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
        SslOptions =
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { certificate },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    });
}
