using System.Net;
using System.Net.Http.Json;
using System.Text;
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
        var before = Descriptors(machine.NodePid);
        using var answer = await http.GetAsync("/", Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("Service default/circle", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.InRange(Descriptors(machine.NodePid), 0, before + 50);
    }

    [Theory(Timeout = 300_000)]
    [InlineData("127.96.0.77", 80, "mesh.internal/pod-ip")]
    [InlineData("127.1", 80, "mesh.internal/pod-ip")]
    [InlineData("0.0.0.0", 80, "mesh.internal/pod-ip")]
    [InlineData("169.254.169.254", 80, "mesh.internal/pod-ip")]
    [InlineData("127.0.0.1", 0, "spec.containers[0].ports[0].containerPort")]
    public async Task A_manifest_that_names_a_place_of_Mesh_or_of_nobody_is_refused(string address, int port, string field)
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        var pod = new
        {
            apiVersion = "v1",
            kind = "Pod",
            metadata = new { name = "wrong", annotations = new Dictionary<string, string> { ["mesh.internal/pod-ip"] = address } },
            spec = new { containers = new[] { new { name = "a", ports = new[] { new { containerPort = port == 0 ? machine.IngressUrl.Port : port } } } } },
        };

        using var answer = await api.PostAsJsonAsync("/api/v1/namespaces/default/pods", pod, Stop);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(field, await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    private static int Descriptors(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

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
