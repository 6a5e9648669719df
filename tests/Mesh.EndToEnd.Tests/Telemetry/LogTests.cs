using System.Text;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Mesh.Testing.Telemetry;
using Xunit;

namespace Mesh.EndToEnd.Tests.Telemetry;

/// <summary>The log lines of both processes go where their spans go, and are found from them.</summary>
public sealed class LogTests
{
    private const string RequestTrace = "0af7651916cd43dd8448eb211c80319c";
    private const string WriteTrace = "1af7651916cd43dd8448eb211c80319c";
    private const string ParentSpan = "b7ad6b7169203331";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    [InlineData("by signal")]
    public async Task What_both_processes_log_is_exported_with_its_trace_and_span_and_holds_no_secret(string protocol)
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        await using var machine = await SiloUnderTest.StartNewAsync(["--log-level", "debug"], protocol switch
        {
            "grpc" => otlp.Environment,
            "http/protobuf" => otlp.HttpEnvironment,
            _ => otlp.SignalEnvironment,
        });
        using var api = machine.Api();
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null }) { BaseAddress = machine.IngressUrl };

        await SendAsync(api, HttpMethod.Post, "/api/v1/namespaces/default/services", WriteTrace, """{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hidden"}, "spec": {"ports": [{"port": 80}]}}""");
        await SendAsync(client, HttpMethod.Get, "/there?password=hush", RequestTrace, content: null);

        await AssertCorrelatedAsync(otlp, "mesh-ingress", RequestTrace, log => log.Body.Contains("GET there.example.com/there 404 ", StringComparison.Ordinal));
        await AssertCorrelatedAsync(otlp, "mesh-silo", WriteTrace, log => log.Body.StartsWith("POST services default/hidden by ", StringComparison.Ordinal));
        var token = api.DefaultRequestHeaders.Authorization!.Parameter!;
        var everything = string.Join('\n', otlp.Logs.Select(log => $"{log.Body} {string.Join(' ', log.Attributes)}"));
        Assert.DoesNotContain(token, everything, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", everything, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Both_processes_tell_what_they_use_of_the_machine()
    {
        await using var otlp = await OtlpReceiver.StartAsync(Stop);
        await using var machine = await SiloUnderTest.StartNewAsync(environment: otlp.Environment);

        string[] names = ["dotnet.gc.collections", "dotnet.process.memory.working_set", "dotnet.process.cpu.time", "dotnet.thread_pool.thread.count"];
        foreach (var (service, name) in from service in (string[])["mesh-silo", "mesh-ingress"] from name in names select (service, name))
        {
            await Eventually.Is($"{name} of {service} is exported", () => otlp.Metrics.Any(metric => metric.Service == service && metric.Name == name), true, Soon);
        }
    }

    private static async Task AssertCorrelatedAsync(OtlpReceiver otlp, string service, string trace, Func<ReceivedLog, bool> wanted)
    {
        var log = await Eventually.Meets(
            $"the log line of {service}", _ => Task.FromResult(otlp.Logs.FirstOrDefault(log => log.Service == service && wanted(log))), log => log is not null, Soon);
        var span = await Eventually.Meets(
            $"the span of {service}", _ => Task.FromResult(otlp.Spans.FirstOrDefault(span => span.SpanId == log!.SpanId)), span => span is not null, Soon);
        Assert.Equal((trace, trace, service, SpanKind.Server), (log!.TraceId, span!.TraceId, span.Service, span.Kind));
    }

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, string trace, string? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content is null ? null : new StringContent(content, Encoding.UTF8, "application/json") };
        request.Headers.Add("traceparent", $"00-{trace}-{ParentSpan}-01");
        if (content is null)
        {
            request.Headers.Host = "there.example.com";
        }

        using var answer = await client.SendAsync(request, Stop);
    }
}
