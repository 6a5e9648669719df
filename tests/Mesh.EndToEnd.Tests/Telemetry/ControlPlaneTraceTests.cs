using System.Text;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Mesh.Testing.Telemetry;
using Xunit;

namespace Mesh.EndToEnd.Tests.Telemetry;

/// <summary>The control plane is seen in traces when it was asked for, and else leaves them to the requests of users.</summary>
public sealed class ControlPlaneTraceTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string ParentSpan = "b7ad6b7169203331";
    private const string Services = "/api/v1/namespaces/default/services";

    /// <summary>At most five exports a second: longer than the period in which a node has to say that it lives.</summary>
    private const int Moments = 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-7.2")]
    public async Task An_idle_machine_sends_no_span_and_a_write_below_a_sampled_one_is_in_its_trace_from_the_API_request_on()
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        await using var machine = await SiloUnderTest.StartNewAsync(environment: otlp.Environment);
        await using var backend = await EchoBackend.StartAsync("echo", Stop);
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "soup-1", new { labels = new { app = "soup" }, ports = new[] { new { name = "http", containerPort = backend.Port } }, ready = true }, Stop);
        await CreateServiceAsync(machine, "soup", traceparent: null);
        await LiveOnAsync(otlp);
        Assert.Empty(otlp.Spans);

        // What follows from it later, of its own accord, is in no trace.
        await CreateServiceAsync(machine, "sampled", $"00-{Trace}-{ParentSpan}-01");
        await LiveOnAsync(otlp);
        Assert.Equal(0, await machine.StopAsync(Stop));

        AssertOneWrite(otlp.Spans, ParentSpan);
        Assert.All(otlp.Spans, span => Assert.Equal(Trace, span.TraceId));
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-7.2")]
    public async Task When_asked_for_each_API_request_is_a_trace_and_nothing_else_is()
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        await using var machine = await SiloUnderTest.StartNewAsync(["--trace-control-plane", "requests"], otlp.Environment);

        await CreateServiceAsync(machine, "soup", traceparent: null);
        await LiveOnAsync(otlp);
        Assert.Equal(0, await machine.StopAsync(Stop));

        AssertOneWrite(otlp.Spans, parent: "");
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-7.2")]
    public async Task When_asked_for_what_the_grains_do_by_themselves_is_seen_too()
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        await using var machine = await SiloUnderTest.StartNewAsync(environment: new Dictionary<string, string>(otlp.Environment) { ["MESH_TRACE_CONTROL_PLANE"] = "all" });

        await Eventually.Meets(
            "a call that nobody asked for",
            _ => Task.FromResult(otlp.Spans),
            spans => spans.Any(span => span is { Kind: SpanKind.Client, Service: "mesh-silo", ParentSpanId: "" }),
            TimeSpan.FromSeconds(60));
    }

    private static void AssertOneWrite(IReadOnlyList<ReceivedSpan> spans, string parent)
    {
        var request = Assert.Single(spans, span => span.ParentSpanId == parent);
        Assert.Equal(
            ("POST /api/v1/namespaces/{namespace}/services", SpanKind.Server, "mesh-silo", "201", "create"),
            (request.Name, request.Kind, request.Service, request.Attributes["http.response.status_code"], request.Attributes["mesh.api.verb"]));
        Assert.Contains(spans, span => span.Name == "IObjectGrain/Write" && span.Kind == SpanKind.Server);
        var ids = spans.Select(span => span.SpanId).ToHashSet();
        Assert.All(spans.Where(span => span != request), span => Assert.Contains(span.ParentSpanId, ids));
        Assert.DoesNotContain(spans, span => span.Name is "INodeSessions/Alive" or "IGatewayGrain/Start");
    }

    /// <summary>Until both processes have lived for some seconds.</summary>
    private static async Task LiveOnAsync(OtlpReceiver otlp)
    {
        string[] services = ["mesh-silo", "mesh-ingress"];
        var before = services.ToDictionary(service => service, otlp.MetricExports);
        await Eventually.Is(
            "both processes live on", () => services.All(service => otlp.MetricExports(service) >= before[service] + Moments), true, TimeSpan.FromSeconds(100));
    }

    private static async Task CreateServiceAsync(SiloUnderTest machine, string name, string? traceparent)
    {
        using var api = machine.Api();
        using var request = new HttpRequestMessage(HttpMethod.Post, Services)
        {
            Content = new StringContent(
                $$$"""{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "{{{name}}}"}, "spec": {"selector": {"app": "soup"}, "ports": [{"port": 80, "targetPort": "http"}]}}""",
                Encoding.UTF8,
                "application/json"),
        };
        if (traceparent is not null)
        {
            request.Headers.Add("traceparent", traceparent);
        }

        using var created = await api.SendAsync(request, Stop);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
    }
}
