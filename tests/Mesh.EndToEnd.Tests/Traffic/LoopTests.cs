using System.Net;
using System.Net.Http.Json;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>A Pod that is a proxy in front of the gateway which it stands behind.</summary>
public sealed class LoopTests
{
    private const int Limit = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task A_Pod_that_sends_its_requests_back_is_told_508()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        await using var proxy = new TcpRelay(new IPEndPoint(IPAddress.Loopback, machine.IngressUrl.Port));
        using var api = machine.Api();
        await SomeService.CreateAsync(api, "circle", "circle", [new { port = 80, targetPort = "main" }], Stop);
        var created = await api.PostAsJsonAsync(
            "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
            new
            {
                apiVersion = "networking.k8s.io/v1",
                kind = "Ingress",
                metadata = new { name = "circle" },
                spec = new { defaultBackend = new { service = new { name = "circle", port = new { number = 80 } } } },
            },
            Stop);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "circle-1", new { labels = new { app = "circle" }, ports = new[] { new { name = "main", containerPort = proxy.Address.Port } } }, Stop);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = machine.IngressUrl };

        var asked = 1;
        await Eventually.Is(
            "the request comes back",
            async stop =>
            {
                asked++;
                return (int)(await client.GetAsync("/", stop)).StatusCode;
            },
            508,
            TimeSpan.FromSeconds(60));

        using var answer = await client.GetAsync("/", Stop);
        Assert.StartsWith("LoopDetected: this request has passed this gateway before", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.InRange(proxy.Connections, 1, asked); // of the gateway to the Pod, for requests that each passed it once
    }
}
