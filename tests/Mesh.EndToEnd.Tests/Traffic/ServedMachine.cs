using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>
/// A machine with two web Pods behind a Service and an Ingress, and one TCP Pod behind another Service; all three are
/// registrations held open.
/// </summary>
internal sealed class ServedMachine : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _owned = [];
    private readonly List<(string Name, string App, int Port)> _registrations = [];

    private ServedMachine(SiloUnderTest machine)
    {
        Machine = machine;
    }

    public SiloUnderTest Machine { get; }

    public List<RegisteredPod> Pods { get; } = [];

    public List<EchoBackend> Webs { get; } = [];

    public IPAddress WebIP { get; private set; } = IPAddress.None;

    public IPAddress EchoIP { get; private set; } = IPAddress.None;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<ServedMachine> StartAsync(IReadOnlyDictionary<string, string>? environment = null, string ingressHttp = "127.0.0.1:0")
    {
        var served = new ServedMachine(SiloUnderTest.Prepare(environment: environment));
        served.Machine.IngressHttp = ingressHttp;
        try
        {
            await served.Machine.StartAsync();
            await served.ServeAsync();
            return served;
        }
        catch
        {
            await served.DisposeAsync();
            throw;
        }
    }

    /// <summary>One request on a connection of its own, or on a kept one.</summary>
    public HttpClient Ingress()
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1 }) { BaseAddress = Machine.IngressUrl };
        client.DefaultRequestHeaders.Host = "web.example.com";
        return client;
    }

    public async Task<ClientWebSocket> WebSocketAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", "web.example.com");
        await socket.ConnectAsync(new UriBuilder(Machine.IngressUrl) { Scheme = "ws" }.Uri, Stop);
        return socket;
    }

    public async Task<TcpClient> EchoAsync()
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(EchoIP, SomeService.Port, Stop);
        return client;
    }

    /// <summary>What the SDK does after a broken stream: the same Pods, by their uids.</summary>
    public async Task RegisterAgainAsync()
    {
        for (var i = 0; i < Pods.Count; i++)
        {
            var (name, app, port) = _registrations[i];
            var uid = Pods[i].Uid;
            await Pods[i].DisposeAsync();
            Pods[i] = await RegisteredPod.RegisterAsync(Machine.NodeUrl, "default", name, Body(app, port), Stop, uid);
            Assert.Equal(uid, Pods[i].Uid);
        }
    }

    public async Task UntilServedAsync()
    {
        using var ingress = Ingress();
        await Eventually.Is("the Ingress answers", async stop => (await ingress.GetAsync("/", stop)).StatusCode, HttpStatusCode.OK, TimeSpan.FromSeconds(60));
        await SomeService.EchoesAsync("the TCP Service answers", EchoIP, SomeService.Port, TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pod in Pods)
        {
            await pod.DisposeAsync();
        }

        await Machine.DisposeAsync();
        foreach (var owned in Webs.Concat(_owned))
        {
            await owned.DisposeAsync();
        }
    }

    private static async Task CreateIngressAsync(HttpClient api)
    {
        const string Ingress =
            """
            {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}, "spec": {"rules": [{"host": "web.example.com",
              "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"name": "main"}}}}]}}]}}
            """;
        using var content = new StringContent(Ingress, Encoding.UTF8, "application/json");
        var created = await api.PostAsync("/apis/networking.k8s.io/v1/namespaces/default/ingresses", content, Stop);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
    }

    private async Task ServeAsync()
    {
        using var api = Machine.Api();
        object[] ports = [new { name = "main", port = SomeService.Port, targetPort = "main" }];
        WebIP = await SomeService.CreateAsync(api, "web", "web", ports, Stop);
        EchoIP = await SomeService.CreateAsync(api, "echo", "echo", ports, Stop);
        await CreateIngressAsync(api);
        foreach (var name in (string[])["web-1", "web-2"])
        {
            var web = await EchoBackend.StartAsync(name, Stop);
            Webs.Add(web);
            await RegisterAsync(name, "web", web.Port);
        }

        var echo = new TcpEcho();
        _owned.Add(echo);
        await RegisterAsync("echo-1", "echo", echo.Port);
        await UntilServedAsync();
    }

    private async Task RegisterAsync(string name, string app, int port)
    {
        _registrations.Add((name, app, port));
        Pods.Add(await RegisteredPod.RegisterAsync(Machine.NodeUrl, "default", name, Body(app, port), Stop));
    }

    private static object Body(string app, int port) => new { labels = new { app }, ports = new[] { new { name = "main", containerPort = port } } };
}
