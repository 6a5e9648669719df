using System.Net;
using System.Net.Http.Json;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mesh.EndToEnd.Tests.Survival;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>The four types of Service, with real processes: one Service that is each of them in turn.</summary>
public sealed class ServiceTypeTests
{
    private const string Services = "/api/v1/namespaces/default/services";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    [Trait("Row", "SVC-L11")]
    [Trait("Row", "SVC-P13")]
    [Trait("Row", "SVC-T2")]
    public async Task A_Service_is_answered_where_its_type_says_and_only_there()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        await using var echo = new TcpEcho();
        await using var pod = await RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "web-1", Body("web", echo.Port), Stop);
        var port = FreePort.Next();
        var created = await CreateAsync(api, "web", new { type = "NodePort", selector = new { app = "web" }, ports = new[] { new { port, targetPort = "main" } } });
        var nodePort = created.GetProperty("spec").GetProperty("ports")[0].GetProperty("nodePort").GetInt32();
        var clusterIP = IPAddress.Parse(created.GetProperty("spec").GetProperty("clusterIP").GetString()!);
        await AnswersAsync(IPAddress.Loopback, nodePort);
        await AnswersAsync(clusterIP, port);
        foreach (var address in OfThisMachine())
        {
            await AnswersAsync(address, nodePort);
        }

        var balanced = await PatchAsync(api, "web", new { spec = new { type = "LoadBalancer" } });
        var balancer = IPAddress.Parse(balanced.GetProperty("status").GetProperty("loadBalancer").GetProperty("ingress")[0].GetProperty("ip").GetString()!);
        await AnswersAsync(balancer, port);
        await AnswersAsync(IPAddress.Loopback, nodePort);

        await RestartNodeWithoutSiloAsync(machine, async () =>
        {
            await AnswersAsync(balancer, port);
            await AnswersAsync(IPAddress.Loopback, nodePort);
        });
        await using var again = await RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "web-1", Body("web", echo.Port), Stop, pod.Uid);

        await PatchAsync(api, "web", new { spec = new { type = "ClusterIP" } });
        await RefusedAsync(balancer, port);
        await RefusedAsync(IPAddress.Loopback, nodePort);
        await AnswersAsync(clusterIP, port);

        await PatchAsync(api, "web", new { spec = new { type = "ExternalName", externalName = "www.example.com" } });
        await RefusedAsync(clusterIP, port);
        await Eventually.Is("the alias is answered", async stop => (await AskDnsAsync(machine.Dns, "web.default.svc.cluster.local", stop)).Contains("\u0003www\u0007example\u0003com", StringComparison.Ordinal), true, Soon);
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "SVC-P13")]
    public async Task What_keeps_a_NodePort_from_being_served_and_who_came_to_it_too_late_are_Events()
    {
        await using var machine = await SiloUnderTest.StartNewAsync(["--nodeport-addresses", "127.0.0.1/32", "--loadbalancer-pool", "192.0.2.77/32"]);
        using var api = machine.Api();
        await using var echo = new TcpEcho();
        await using var pod = await RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "web-1", Body("web", echo.Port), Stop);
        using var holder = FreePort.Held(30_100, 32_700);
        var nodePort = ((IPEndPoint)holder.LocalEndpoint).Port;
        await CreateAsync(api, "taken", new { type = "NodePort", selector = new { app = "web" }, ports = new[] { new { port = 80, targetPort = (object)"main", nodePort } } });

        var told = await SomeService.ToldAsync(api, "taken", "PortTaken", Soon);
        Assert.Contains($"127.0.0.1:{nodePort}", told, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId} (", told, StringComparison.Ordinal);
        holder.Stop();
        await AnswersAsync(IPAddress.Loopback, nodePort);
        foreach (var address in OfThisMachine())
        {
            await RefusedAsync(address, nodePort); // the option does not name it
        }

        // The pool holds an address that no machine has (RFC 5737).
        await CreateAsync(api, "balanced", new { type = "LoadBalancer", selector = new { app = "web" }, ports = new[] { new { port = 18_081, targetPort = "main" } } });
        var unusable = await SomeService.ToldAsync(api, "balanced", "PortUnusable", Soon);
        Assert.Contains(": 192.0.2.77:18081 cannot be listened on, as this machine does not have the address", unusable, StringComparison.Ordinal);

        // Its Pods are there too, at the number that the node has by now.
        await CreateAsync(api, "circle", new { selector = new { app = "web" }, ports = new[] { new { port = 18_080, targetPort = nodePort } } });
        var refused = await SomeService.ToldAsync(api, "circle", "EndpointNotAllowed", Soon);
        Assert.Contains($"127.0.0.1:{nodePort} is where Mesh itself answers a Service", refused, StringComparison.Ordinal);
        var late = await Assert.ThrowsAsync<HttpRequestException>(() => RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "late", Body("web", nodePort), Stop));
        Assert.Equal(HttpStatusCode.BadRequest, late.StatusCode);
        await AnswersAsync(IPAddress.Loopback, nodePort);
    }

    private static async Task RestartNodeWithoutSiloAsync(SiloUnderTest machine, Func<Task> look)
    {
        await WrittenJournal.OfAsync(machine);
        var killed = machine.NodePid;
        Signals.Kill(killed);
        await Eventually.Meets("another node", _ => Task.FromResult(File.Exists(Path.Combine(machine.DataDir, "node.pid")) ? machine.NodePid : killed), pid => pid != killed, Soon);
        Signals.Stop(machine.Process.Pid);
        try
        {
            await look();
        }
        finally
        {
            Signals.Continue(machine.Process.Pid);
        }
    }

    private static object Body(string app, int port) => new { labels = new { app }, ports = new[] { new { name = "main", containerPort = port } } };

    private static Task AnswersAsync(IPAddress address, int port) => SomeService.EchoesAsync($"{address}:{port} answers", address, port, Soon);

    private static Task RefusedAsync(IPAddress address, int port) => Eventually.Is(
        $"{address}:{port} refuses",
        async stop =>
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(address, port, stop);
                return SocketError.Success;
            }
            catch (SocketException refused)
            {
                return refused.SocketErrorCode;
            }
        },
        SocketError.ConnectionRefused,
        Soon);

    private static async Task<JsonElement> CreateAsync(HttpClient api, string name, object spec)
    {
        using var answer = await api.PostAsJsonAsync(Services, new { apiVersion = "v1", kind = "Service", metadata = new { name }, spec }, Stop);
        return await ReadAsync(answer);
    }

    private static async Task<JsonElement> PatchAsync(HttpClient api, string name, object patch)
    {
        using var content = new StringContent(JsonSerializer.Serialize(patch), Encoding.UTF8, "application/merge-patch+json");
        using var answer = await api.PatchAsync($"{Services}/{name}", content, Stop);
        return await ReadAsync(answer);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        var body = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, body);
        using var document = JsonDocument.Parse(body);
        return document.RootElement.Clone();
    }

    private static async Task<string> AskDnsAsync(IPEndPoint server, string name, CancellationToken stop)
    {
        using var client = new UdpClient();
        client.Connect(server);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        await client.SendAsync(DnsProbe.Query(name), limit.Token);
        return Encoding.Latin1.GetString((await client.ReceiveAsync(limit.Token)).Buffer);
    }

    /// <summary>Of its interfaces, without loopback; none on a machine without a network.</summary>
    private static IEnumerable<IPAddress> OfThisMachine() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(card => card.OperationalStatus == OperationalStatus.Up && card.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses)
        .Select(own => own.Address)
        .Where(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
}
