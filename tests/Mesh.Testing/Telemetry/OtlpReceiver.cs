using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Mesh.Testing.Telemetry.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Testing.Telemetry;

/// <summary>A collector of traces, metrics and logs: OTLP over gRPC and over HTTP (protobuf), each on a port of its own.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ReceivedSpans _received;

    private OtlpReceiver(WebApplication app, ReceivedSpans received, string grpc, string http)
    {
        _app = app;
        _received = received;
        GrpcEndpoint = grpc;
        HttpEndpoint = http;
    }

    public string GrpcEndpoint { get; }

    public string HttpEndpoint { get; }

    public IReadOnlyList<ReceivedSpan> Spans => [.. _received.All];

    public IReadOnlyList<ReceivedLog> Logs => [.. _received.Logs];

    /// <summary>The metrics that came, with the unit and the service of each.</summary>
    public IReadOnlyCollection<ReceivedMetric> Metrics => [.. _received.Metrics.Keys];

    /// <summary>How often a service has exported its metrics: each is a moment that it has lived through.</summary>
    public int MetricExports(string service) => _received.MetricExports.GetValueOrDefault(service);

    /// <summary>What makes a process export to this receiver, without waiting long for a full batch.</summary>
    public IReadOnlyDictionary<string, string> Environment => Exporting(GrpcEndpoint, "grpc");

    /// <summary>The same over HTTP.</summary>
    public IReadOnlyDictionary<string, string> HttpEnvironment => Exporting(HttpEndpoint, "http/protobuf");

    /// <summary>The same by the variables of each signal, beside a general one that names a place where nobody is.</summary>
    public IReadOnlyDictionary<string, string> SignalEnvironment => new Dictionary<string, string>(Exporting("http://127.0.0.1:1", "grpc"))
    {
        ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = HttpEndpoint + "/v1/traces",
        ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf",
        ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = GrpcEndpoint,
        ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"] = HttpEndpoint + "/v1/logs",
        ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"] = "http/protobuf",
    };

    private static Dictionary<string, string> Exporting(string endpoint, string protocol) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol,
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
    };

    public static async Task<OtlpReceiver> StartAsync(CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<ReceivedSpans>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        app.MapGrpcService<TraceReceiver>();
        app.MapGrpcService<MetricsReceiver>();
        app.MapGrpcService<LogsReceiver>();
        app.MapPost("/v1/traces", async (HttpContext context, ReceivedSpans received) =>
            received.Add(ExportTraceServiceRequest.Parser.ParseFrom(await BodyAsync(context))));
        app.MapPost("/v1/metrics", async (HttpContext context, ReceivedSpans received) =>
            received.Add(ExportMetricsServiceRequest.Parser.ParseFrom(await BodyAsync(context))));
        app.MapPost("/v1/logs", async (HttpContext context, ReceivedSpans received) =>
            received.Add(ExportLogsServiceRequest.Parser.ParseFrom(await BodyAsync(context))));
        await app.StartAsync(stop);
        var addresses = app.Urls.ToList();
        return new OtlpReceiver(app, app.Services.GetRequiredService<ReceivedSpans>(), addresses[0], addresses[1]);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task<byte[]> BodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.ToArray();
    }
}

/// <summary>An instrument of a service that was exported.</summary>
public sealed record ReceivedMetric(string Service, string Name, string Unit);

/// <summary>One log record with the resource that made it.</summary>
public sealed record ReceivedLog(string Service, string Severity, string Body, string TraceId, string SpanId, IReadOnlyDictionary<string, string> Attributes);

/// <summary>One span with the resource that made it.</summary>
public sealed record ReceivedSpan(string TraceId, string SpanId, string ParentSpanId, string Name, SpanKind Kind, string Service, IReadOnlyDictionary<string, string> Attributes, bool IsError, string StatusMessage, IReadOnlyDictionary<string, string> Resource);

/// <summary>As OTLP numbers them.</summary>
public enum SpanKind
{
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// <summary>Every span and log record that came, in order, and every instrument.</summary>
public sealed class ReceivedSpans
{
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();

    public IEnumerable<ReceivedSpan> All => _spans;

    public ConcurrentQueue<ReceivedLog> Logs { get; } = new();

    public ConcurrentDictionary<ReceivedMetric, bool> Metrics { get; } = new();

    public ConcurrentDictionary<string, int> MetricExports { get; } = new();

    public void Add(ExportMetricsServiceRequest request)
    {
        foreach (var resource in request.ResourceMetrics)
        {
            var service = Text(resource.Resource.Attributes).GetValueOrDefault("service.name", "");
            MetricExports.AddOrUpdate(service, 1, (_, count) => count + 1);
            foreach (var metric in resource.ScopeMetrics.SelectMany(scope => scope.Metrics))
            {
                Metrics[new ReceivedMetric(service, metric.Name, metric.Unit)] = true;
            }
        }
    }

    public void Add(ExportLogsServiceRequest request)
    {
        foreach (var resource in request.ResourceLogs)
        {
            var service = Text(resource.Resource.Attributes).GetValueOrDefault("service.name", "");
            foreach (var record in resource.ScopeLogs.SelectMany(scope => scope.LogRecords))
            {
                Logs.Enqueue(new ReceivedLog(
                    service,
                    record.SeverityText,
                    Text(record.Body),
                    Convert.ToHexStringLower(record.TraceId.Span),
                    Convert.ToHexStringLower(record.SpanId.Span),
                    Text(record.Attributes)));
            }
        }
    }

    public void Add(ExportTraceServiceRequest request)
    {
        foreach (var resource in request.ResourceSpans)
        {
            var service = Text(resource.Resource.Attributes).GetValueOrDefault("service.name", "");
            foreach (var span in resource.ScopeSpans.SelectMany(scope => scope.Spans))
            {
                _spans.Enqueue(new ReceivedSpan(
                    Convert.ToHexStringLower(span.TraceId.Span),
                    Convert.ToHexStringLower(span.SpanId.Span),
                    Convert.ToHexStringLower(span.ParentSpanId.Span),
                    span.Name,
                    (SpanKind)span.Kind,
                    service,
                    Text(span.Attributes),
                    span.Status?.Code == 2,
                    span.Status?.Message ?? "",
                    Text(resource.Resource.Attributes)));
            }
        }
    }

    private static Dictionary<string, string> Text(IEnumerable<KeyValue> attributes) =>
        attributes.GroupBy(pair => pair.Key).ToDictionary(pairs => pairs.Key, pairs => Text(pairs.Last().Value));

    private static string Text(AnyValue value) => value.ValueCase switch
    {
        AnyValue.ValueOneofCase.StringValue => value.StringValue,
        AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(System.Globalization.CultureInfo.InvariantCulture),
        AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}

internal sealed class TraceReceiver(ReceivedSpans received) : TraceService.TraceServiceBase
{
    public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context)
    {
        received.Add(request);
        return Task.FromResult(new ExportTraceServiceResponse());
    }
}

internal sealed class MetricsReceiver(ReceivedSpans received) : MetricsService.MetricsServiceBase
{
    public override Task<ExportMetricsServiceResponse> Export(ExportMetricsServiceRequest request, ServerCallContext context)
    {
        received.Add(request);
        return Task.FromResult(new ExportMetricsServiceResponse());
    }
}

internal sealed class LogsReceiver(ReceivedSpans received) : LogsService.LogsServiceBase
{
    public override Task<ExportLogsServiceResponse> Export(ExportLogsServiceRequest request, ServerCallContext context)
    {
        received.Add(request);
        return Task.FromResult(new ExportLogsServiceResponse());
    }
}
