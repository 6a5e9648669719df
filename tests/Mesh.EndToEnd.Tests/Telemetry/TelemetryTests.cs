using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Mesh.Testing.Telemetry;
using Xunit;

namespace Mesh.EndToEnd.Tests.Telemetry;

/// <summary>What a user sees in Jaeger: a request is one trace, from the Ingress to the Pod.</summary>
public sealed class TelemetryTests
{
    private const string ParentTrace = "0af7651916cd43dd8448eb211c80319c";
    private const string ParentSpan = "b7ad6b7169203331";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    [Trait("Row", "ECO-7.2")]
    public async Task A_request_is_one_trace_from_the_gateway_to_the_Pod(string protocol)
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        var exporting = protocol == "grpc" ? otlp.Environment : otlp.HttpEnvironment;
        await using var machine = await SiloUnderTest.StartNewAsync(environment: exporting);
        await using var soup = Soup(machine, exporting, "soup-1", "soup");
        await RouteAsync(machine);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null }) { BaseAddress = machine.IngressUrl };
        await Eventually.Is(
            "the Ingress answers", async stop => (await client.SendAsync(Request("/api/warm", null), stop)).StatusCode, HttpStatusCode.OK, TimeSpan.FromSeconds(60));

        var continued = await client.SendAsync(Request("/api/continued", $"00-{ParentTrace}-{ParentSpan}-01"), Stop);
        var begun = await client.SendAsync(Request("/api/begun?secret=1", null), Stop);

        await AssertOneTraceAsync(otlp, ParentTrace, ParentSpan, "/api/continued", await continued.Content.ReadFromJsonAsync<JsonElement>(Stop));
        var newTrace = begun.Headers.GetValues("traceresponse").Single().Split('-')[1];
        Assert.NotEqual(ParentTrace, newTrace);
        Assert.Equal((ParentTrace, newTrace), (continued.Headers.GetValues("x-request-id").Single(), begun.Headers.GetValues("x-request-id").Single()));
        await AssertOneTraceAsync(otlp, newTrace, "", "/api/begun", await begun.Content.ReadFromJsonAsync<JsonElement>(Stop));

        await AssertMetricsAsync(otlp);
        foreach (var (path, trace) in new[] { ("/api/continued", ParentTrace), ("/api/begun", newTrace) })
        {
            await Eventually.Is(
                $"access log lines of {path}",
                () => machine.NodeLog.Split('\n').Count(line => line.Contains(path, StringComparison.Ordinal) && line.Contains(trace, StringComparison.Ordinal)),
                1,
                Soon);
        }
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-7.2")]
    public async Task Each_attempt_is_a_span_and_the_Pod_continues_the_last()
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        await using var machine = await SiloUnderTest.StartNewAsync(environment: otlp.Environment);
        await using var backend = await EchoBackend.StartAsync("echo", Stop);
        await using var alive = await RegisterAsync(machine, "alive", backend.Port);
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // nobody else gets the port, and nobody accepts there
        await using var refusing = await RegisterAsync(machine, "refusing", ((IPEndPoint)nobody.LocalEndPoint!).Port);
        await RouteAsync(machine);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null }) { BaseAddress = machine.IngressUrl };

        // The choice is random: asked until one request was brought to the other endpoint.
        var (trace, traceparent) = await Eventually.Meets(
            "a request of two attempts",
            async stop =>
            {
                var response = await client.SendAsync(Request("/api/twice", null), stop);
                var id = response.Headers.TryGetValues("traceresponse", out var values) ? values.Single().Split('-')[1] : "";
                var received = response.Headers.TryGetValues("x-traceparent", out var seen) ? seen.Single() : "";
                await Eventually.Meets("its SERVER span", _ => Task.FromResult(Of(otlp, id)), spans => spans.Any(span => span.Kind == SpanKind.Server), Soon);
                return (Id: id, Received: received);
            },
            request => Of(otlp, request.Id).Count(span => span.Kind == SpanKind.Client) == 2,
            TimeSpan.FromSeconds(60));

        var server = Assert.Single(Of(otlp, trace), span => span.Kind == SpanKind.Server);
        var attempts = Of(otlp, trace).Where(span => span.Kind == SpanKind.Client).ToList();
        Assert.All(attempts, attempt => Assert.Equal(server.SpanId, attempt.ParentSpanId));
        var failed = Assert.Single(attempts, attempt => attempt.IsError);
        var answered = Assert.Single(attempts, attempt => !attempt.IsError);
        Assert.Equal(("refusing", false), (failed.Attributes["k8s.pod.name"], failed.Attributes.ContainsKey("http.request.resend_count")));
        Assert.NotEmpty(failed.Attributes["error.type"]);
        Assert.Equal(("GET default/soup", "GET default/soup (attempt 2)"), (failed.Name, answered.Name));
        Assert.Contains("Pod default/refusing (127.0.0.1:", failed.Attributes["mesh.response_detail"], StringComparison.Ordinal);
        Assert.Equal(failed.Attributes["mesh.response_detail"], failed.StatusMessage);
        Assert.Equal(("alive", "1"), (answered.Attributes["k8s.pod.name"], answered.Attributes["http.request.resend_count"]));
        Assert.Equal($"00-{trace}-{answered.SpanId}-01", traceparent);
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-7.2")]
    [Trait("Row", "ECO-3.5.13")]
    public async Task A_second_Service_that_is_called_by_name_is_in_the_same_trace()
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        await using var machine = await SiloUnderTest.StartNewAsync(environment: otlp.Environment);
        await using var front = Soup(machine, otlp.Environment, "soup-1", "soup");
        await using var second = Soup(machine, otlp.Environment, "api-1", "my-api");
        await RouteAsync(machine, "/menu");
        using (var api = machine.Api())
        {
            await CreateAsync(api, "/api/v1/namespaces/default/services", """
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "my-api-service"},
                 "spec": {"selector": {"app": "my-api"}, "ports": [{"name": "http", "port": 8080, "targetPort": "http"}]}}
                """);
        }

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null }) { BaseAddress = machine.IngressUrl };
        await Eventually.Is("both hops answer", async stop => (await client.SendAsync(Request("/menu", null), stop)).StatusCode, HttpStatusCode.OK, Soon);

        var answer = await client.SendAsync(Request("/menu", $"00-{ParentTrace}-{ParentSpan}-01"), Stop);

        var menu = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);
        Assert.Equal(("soup-1", "api-1"), (menu.GetProperty("pod").GetString(), menu.GetProperty("menu").GetProperty("pod").GetString()));
        var spans = await Eventually.Meets("the spans of two hops", _ => Task.FromResult(Of(otlp, ParentTrace)), seen => seen.Count >= 5, Soon);
        Assert.Equal(5, spans.Count);
        var parent = ParentSpan;
        foreach (var (kind, service, name) in ((SpanKind, string, string)[])
        [
            (SpanKind.Server, "mesh-ingress", "GET soup.example.com/menu"),
            (SpanKind.Client, "mesh-ingress", "GET default/soup"),
            (SpanKind.Server, "soup", "GET /menu"),
            (SpanKind.Client, "soup", "GET"),
            (SpanKind.Server, "my-api", "GET /{**path}"),
        ])
        {
            var span = Assert.Single(spans, span => span.ParentSpanId == parent);
            Assert.Equal((kind, service, name, false), (span.Kind, span.Service, span.Name, span.IsError));
            parent = span.SpanId;
        }

        Assert.Equal("my-api-service.default.svc.cluster.local", Assert.Single(spans, span => span is { Kind: SpanKind.Client, Service: "soup" }).Attributes["server.address"]);
    }

    private static async Task AssertOneTraceAsync(OtlpReceiver otlp, string trace, string parent, string path, JsonElement answer)
    {
        var spans = await Eventually.Meets($"the spans of {path}", _ => Task.FromResult(Of(otlp, trace)), seen => seen.Count >= 3, Soon);

        Assert.Equal(3, spans.Count);
        var server = Assert.Single(spans, span => span is { Kind: SpanKind.Server, Service: "mesh-ingress" });
        Assert.Equal((parent, "GET soup.example.com/api", false), (server.ParentSpanId, server.Name, server.IsError));
        AssertAttributes(server, new()
        {
            ["http.request.method"] = "GET",
            ["http.route"] = "soup.example.com/api",
            ["http.response.status_code"] = "200",
            ["url.path"] = path,
            ["url.scheme"] = "http",
            ["server.address"] = "soup.example.com",
            ["client.address"] = "127.0.0.1",
            ["network.peer.address"] = "127.0.0.1",
            ["network.protocol.version"] = "1.1",
            ["user_agent.original"] = "spoon/1.0",
            ["mesh.ingress.name"] = "soup",
            ["k8s.namespace.name"] = "default",
            ["k8s.service.name"] = "soup",
        });
        Assert.NotInRange(int.Parse(server.Attributes["network.peer.port"], CultureInfo.InvariantCulture), int.MinValue, 0);
        Assert.Equal(path == "/api/begun" ? "REDACTED" : "(none)", server.Attributes.GetValueOrDefault("url.query", "(none)"));

        var attempt = Assert.Single(spans, span => span.Kind == SpanKind.Client);
        Assert.Equal((server.SpanId, "GET default/soup", "mesh-ingress", false), (attempt.ParentSpanId, attempt.Name, attempt.Service, attempt.IsError));
        AssertAttributes(attempt, new()
        {
            ["http.request.method"] = "GET",
            ["http.response.status_code"] = "200",
            ["server.address"] = "soup.example.com",
            ["url.full"] = $"http://soup.example.com{path}",
            ["network.peer.address"] = "127.0.0.1",
            ["peer.service"] = "soup",
            ["service.peer.name"] = "soup",
            ["service.peer.namespace"] = "default",
            ["k8s.pod.name"] = "soup-1",
            ["mesh.lb.policy"] = "random",
        });

        var pod = Assert.Single(spans, span => span is { Kind: SpanKind.Server, Service: "soup" });
        Assert.Equal(attempt.SpanId, pod.ParentSpanId);
        Assert.Equal(("default.soup-1", "soup-1"), (pod.Resource["service.instance.id"], pod.Resource["k8s.pod.name"]));
        Assert.Equal($"00-{trace}-{attempt.SpanId}-01", answer.GetProperty("traceparent").GetString());
        Assert.Equal("soup-1", answer.GetProperty("pod").GetString());
    }

    private static async Task AssertMetricsAsync(OtlpReceiver otlp)
    {
        ReceivedMetric[] expected =
        [
            new("mesh-ingress", "http.server.request.duration", "s"),
            new("mesh-ingress", "http.server.active_requests", "{request}"),
            new("mesh-ingress", "mesh.pods", "{pod}"),
            new("mesh-silo", "mesh.store.transaction.duration", "s"),
            new("soup", "http.server.request.duration", "s"),
            new("soup", "dotnet.gc.collections", "{collection}"),
        ];
        foreach (var metric in expected)
        {
            await Eventually.Is($"{metric} is exported", () => otlp.Metrics.Contains(metric), true, Soon);
        }
    }

    private static void AssertAttributes(ReceivedSpan span, Dictionary<string, string> expected) =>
        Assert.Equal(expected, expected.Keys.ToDictionary(key => key, key => span.Attributes.GetValueOrDefault(key, "(none)")));

    private static List<ReceivedSpan> Of(OtlpReceiver otlp, string trace) => [.. otlp.Spans.Where(span => span.TraceId == trace)];

    private static HttpRequestMessage Request(string path, string? traceparent)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "soup.example.com", UserAgent = { new("spoon", "1.0") } } };
        if (traceparent is not null)
        {
            request.Headers.Add("traceparent", traceparent);
        }

        return request;
    }

    private static Task<RegisteredPod> RegisterAsync(SiloUnderTest machine, string name, int port) => RegisteredPod.RegisterAsync(
        machine.NodeUrl,
        "default",
        name,
        new { labels = new { app = "soup" }, ports = new[] { new { name = "http", containerPort = port } }, ready = true },
        Stop);

    private static ProcessUnderTest Soup(SiloUnderTest machine, IReadOnlyDictionary<string, string> exporting, string name, string app) => ProcessUnderTest.Start(
        BuiltProgram.Path("Soup", "Soup"),
        [],
        new Dictionary<string, string>(exporting)
        {
            ["MESH_NODE_URL"] = machine.NodeUrl.ToString(),
            ["MESH_POD_NAME"] = name,
            ["MESH_LABELS"] = $"app={app}",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
        });

    private static async Task RouteAsync(SiloUnderTest machine, string path = "/api")
    {
        using var api = machine.Api();
        await CreateAsync(api, "/api/v1/namespaces/default/services", """
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "soup"},
             "spec": {"selector": {"app": "soup"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}
            """);
        await CreateAsync(api, "/apis/networking.k8s.io/v1/namespaces/default/ingresses", $$$"""
            {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "soup"},
             "spec": {"rules": [{"host": "soup.example.com", "http": {"paths": [
               {"path": "{{{path}}}", "pathType": "Prefix", "backend": {"service": {"name": "soup", "port": {"number": 80} } } }] } }] } }
            """);
    }

    private static async Task CreateAsync(HttpClient api, string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        var created = await api.PostAsync(path, content, Stop);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
    }
}
