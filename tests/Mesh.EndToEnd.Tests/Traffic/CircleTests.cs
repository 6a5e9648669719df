using System.Net;
using System.Net.Http.Json;
using System.Text;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>A Service whose target port is one of Mesh's own: one request must not become thousands.</summary>
public sealed class CircleTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_Service_whose_target_is_the_gateway_itself_is_answered_at_once_and_its_Event_says_why()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        var gateway = machine.IngressUrl.Port;
        await SomeService.CreateAsync(api, "circle", "circle", [new { port = 18080, targetPort = gateway }], Stop);
        await CreateIngressAsync(api);
        await using var echo = new TcpEcho();
        // Its own port is another, so that the registration has nothing to refuse: the Service names the gateway's.
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "circle-1", new { labels = new { app = "circle" }, ports = new[] { new { name = "main", containerPort = echo.Port } } }, Stop);

        var told = await SomeService.ToldAsync(api, "circle", "EndpointNotAllowed", Soon);
        Assert.Contains($"127.0.0.1:{gateway} is where Mesh itself listens", told, StringComparison.Ordinal);

        using var http = new HttpClient { BaseAddress = machine.IngressUrl };
        http.DefaultRequestHeaders.Host = "circle.example.com";
        using var answer = await http.GetAsync("/once", Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("Service default/circle", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);

        // A request that came back would have been there before this one.
        using var next = await http.GetAsync("/next", Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, next.StatusCode);
        await Eventually.Is("access lines of the next request", () => Lines(machine, "/next"), 1, Soon);
        Assert.Equal(1, Lines(machine, "/once"));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_manifest_that_names_a_place_of_Mesh_or_of_nobody_is_refused()
    {
        const string Annotation = "mesh.internal/pod-ip";
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        foreach (var (address, port, field) in ((string, int, string)[])
        [
            ("127.96.0.77", 80, Annotation),
            ("127.1", 80, Annotation),
            ("0.0.0.0", 80, Annotation),
            ("169.254.169.254", 80, Annotation),
            ("127.0.0.1", machine.IngressUrl.Port, "spec.containers[0].ports[0].containerPort"),
        ])
        {
            var pod = new
            {
                apiVersion = "v1",
                kind = "Pod",
                metadata = new { name = "wrong", annotations = new Dictionary<string, string> { [Annotation] = address } },
                spec = new { containers = new[] { new { name = "a", ports = new[] { new { containerPort = port } } } } },
            };

            using var answer = await api.PostAsJsonAsync("/api/v1/namespaces/default/pods", pod, Stop);

            var body = await answer.Content.ReadAsStringAsync(Stop);
            Assert.True(answer.StatusCode == HttpStatusCode.UnprocessableEntity && body.Contains(field, StringComparison.Ordinal), $"{address}:{port}: {(int)answer.StatusCode} {body}");
        }
    }

    private static int Lines(SiloUnderTest machine, string path) => machine.NodeLog.Split('\n').Count(line => line.Contains($"\"{path}\"", StringComparison.Ordinal));

    private static async Task CreateIngressAsync(HttpClient api)
    {
        const string Ingress =
            """
            {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "circle"}, "spec": {"rules": [{"host": "circle.example.com",
              "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "circle", "port": {"number": 18080}}}}]}}]}}
            """;
        using var content = new StringContent(Ingress, Encoding.UTF8, "application/json");
        using var created = await api.PostAsync("/apis/networking.k8s.io/v1/namespaces/default/ingresses", content, Stop);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
    }
}
