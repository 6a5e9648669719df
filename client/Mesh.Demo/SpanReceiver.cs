using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Demo;

/// <summary>A collector of traces on this machine, as Jaeger is one: OTLP over HTTP, from every process that the demo starts.</summary>
internal sealed class SpanReceiver : IAsyncDisposable
{
    /// <summary>Where a user already has one, which is then the place to look.</summary>
    private static readonly string[] Endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

    private const int MostBytes = 1024 * 1024; // of one export; a whole batch of 512 spans is a quarter of it
    private const int MostSpans = 100;

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();

    private SpanReceiver()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MostBytes;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddSingleton<IHostLifetime, Unasked>();
        _app = builder.Build();
        _app.Run(ReceiveAsync);
    }

    public IReadOnlyCollection<ReceivedSpan> Spans => _spans;

    /// <summary>Where the user lets traces be sent; null when nowhere.</summary>
    public static string? OfUser => Endpoints.Select(Environment.GetEnvironmentVariable).FirstOrDefault(endpoint => endpoint is { Length: > 0 });

    /// <summary>
    /// Has a process send its spans here soon, by the name that it has by itself, and only of those traces that somebody asked for:
    /// the load of the demo would make thousands.
    /// </summary>
    public IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>
    {
        ["OTEL_SDK_DISABLED"] = "false",
        ["OTEL_TRACES_EXPORTER"] = "otlp",
        ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = $"{_app.Urls.Single()}/v1/traces",
        ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf",
        ["OTEL_SERVICE_NAME"] = "",
        ["OTEL_RESOURCE_ATTRIBUTES"] = "",
        ["OTEL_TRACES_SAMPLER"] = "parentbased_always_off",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
    };

    public static async Task<SpanReceiver> StartAsync(CancellationToken stop)
    {
        var receiver = new SpanReceiver();
        await receiver._app.StartAsync(stop);
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        try
        {
            foreach (var span in TraceExport.Read(body.ToArray()))
            {
                if (_spans.Count < MostSpans)
                {
                    _spans.Enqueue(span);
                }
            }
        }
        catch (InvalidProtocolBufferException)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
    }

    /// <summary>Signals are for the whole demo, which ends its collector itself.</summary>
    private sealed class Unasked : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
