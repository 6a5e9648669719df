using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>A machine whose Services each have Pods that answer with their names, and a client for which every host is this machine.</summary>
internal sealed class ConformanceCluster : IAsyncDisposable
{
    private const string Ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private readonly SiloUnderTest _machine;
    private readonly List<EchoBackend> _backends = [];
    private readonly List<RegisteredPod> _pods = [];

    private ConformanceCluster(SiloUnderTest machine)
    {
        _machine = machine;
        Api = machine.Api();
        Client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero, // each request has a connection and a handshake of its own
            ConnectCallback = ConnectAsync,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = IsTrusted },
        });
    }

    public HttpClient Api { get; }

    public HttpClient Client { get; }

    /// <summary>The thumbprint of the one certificate that the client takes, for the names it is for.</summary>
    public string Trusted { get; set; } = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<ConformanceCluster> StartAsync() => new(await SiloUnderTest.StartNewAsync());

    public async Task ServiceAsync(string name, params string[] pods)
    {
        await SomeService.CreateAsync(Api, name, name, [new { name = "http", port = 8080, targetPort = "main" }], Stop);
        foreach (var pod in pods)
        {
            var backend = await EchoBackend.StartAsync(pod, Stop);
            _backends.Add(backend);
            _pods.Add(await RegisteredPod.RegisterAsync(
                _machine.NodeUrl, "default", pod, new { labels = new { app = name }, ports = new[] { new { name = "main", containerPort = backend.Port } } }, Stop));
        }
    }

    public Task SecretAsync(string secret) => PostAsync("/api/v1/namespaces/default/secrets", secret);

    public Task IngressAsync(string name, string spec) =>
        PostAsync(Ingresses, $$"""{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"{{name}}"},"spec":{{spec}} }""");

    public async Task DeleteAsync(string ingress)
    {
        using var answer = await Api.DeleteAsync(new Uri($"{Ingresses}/{ingress}", UriKind.Relative), Stop);
        Assert.True(answer.IsSuccessStatusCode);
        await Eventually.Is("nothing is routed", async stop => (await Client.GetAsync(new Uri("http://my-host"), stop)).StatusCode, HttpStatusCode.NotFound, Soon);
    }

    /// <summary>Until the Ingress shows where it is served.</summary>
    public Task ExposedAsync(string ingress) => Eventually.Meets("the Ingress shows an address", stop => AddressesAsync(ingress, stop), addresses => addresses.Length > 0, Soon);

    /// <summary>Until the gateway routes it, over HTTPS with the certificate that is trusted.</summary>
    public Task AnswersAsync(string url) => Eventually.Is(url, async stop => (await Client.GetAsync(new Uri(url), stop)).StatusCode, HttpStatusCode.OK, Soon);

    public async Task<string[]> AddressesAsync(string ingress, CancellationToken stop)
    {
        using var found = JsonDocument.Parse(await Api.GetStringAsync($"{Ingresses}/{ingress}", stop));
        return found.RootElement.GetProperty("status").GetProperty("loadBalancer").TryGetProperty("ingress", out var shown)
            ? [.. shown.EnumerateArray().Select(each => each.ToString())]
            : [];
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Api.Dispose();
        foreach (var pod in _pods)
        {
            await pod.DisposeAsync();
        }

        await _machine.DisposeAsync();
        foreach (var backend in _backends)
        {
            await backend.DisposeAsync();
        }
    }

    private async Task PostAsync(string path, string document)
    {
        using var content = new StringContent(document, Encoding.UTF8, "application/json");
        using var answer = await Api.PostAsync(new Uri(path, UriKind.Relative), content, Stop);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            var port = context.DnsEndPoint.Port == 443 ? _machine.IngressTls.Port : _machine.IngressUrl.Port;
            await socket.ConnectAsync(IPAddress.Loopback, port, stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors problems) =>
        !problems.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && certificate?.GetCertHashString() == Trusted;
}
