using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

// Where an application that builds a host looks already: no using is needed.
namespace Microsoft.Extensions.Hosting;

/// <summary>Switches the telemetry of an application on.</summary>
public static class MeshTelemetryExtensions
{
    /// <summary>Requests that were answered and made, the servers' and clients' own instruments, those of .NET itself, of the registration, and of calls by name.</summary>
    private static readonly string[] Meters =
        ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime", "Mesh.Client", "Mesh.ServiceDiscovery"];

    /// <summary>
    /// Traces of the requests that the application answers and makes, their metrics and those of the runtime, and its log,
    /// all sent by OTLP to where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says; without it nothing is sent. Sources and exporters of the
    /// application's own are added as always, with <c>AddOpenTelemetry</c>; with <c>AddMesh</c> the Pod is named in all of it.
    /// </summary>
    public static TBuilder AddMeshTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(Added)) || Is(builder, "OTEL_SDK_DISABLED", "true"))
        {
            return builder;
        }

        services.AddSingleton<Added>();
        services.AddOpenTelemetry()
            .WithTracing(traces => If(IsExported(builder, "TRACES"), traces.AddAspNetCoreInstrumentation(server => server.Filter = IsWorthASpan).AddSource("System.Net.Http"), to => to.AddOtlpExporter(options => Signal(options, builder, "TRACES"))))
            .WithMetrics(meters => If(IsExported(builder, "METRICS"), meters.AddMeter(Meters), to => to.AddOtlpExporter(options => Signal(options, builder, "METRICS"))))
            .WithLogging(
                records => If(IsExported(builder, "LOGS"), records, to => to.AddOtlpExporter(options => Signal(options, builder, "LOGS"))),
                static options => options.IncludeFormattedMessage = true);
        return builder;
    }

    /// <summary>Probes come every few seconds, and an idle application would fill the list of traces with them.</summary>
    private static bool IsWorthASpan(HttpContext context) => !context.Request.Path.StartsWithSegments("/healthz", StringComparison.Ordinal);

    private static void If<T>(bool condition, T subject, Action<T> then)
    {
        if (condition)
        {
            then(subject);
        }
    }

    /// <summary>The variables of one signal, which win over the general ones; the exporter itself reads only those.</summary>
    private static void Signal(OtlpExporterOptions to, IHostApplicationBuilder builder, string signal)
    {
        var prefix = $"OTEL_EXPORTER_OTLP_{signal}_";
        if (builder.Configuration[prefix + "PROTOCOL"] is { Length: > 0 } protocol)
        {
            to.Protocol = protocol.Equals("grpc", StringComparison.OrdinalIgnoreCase) ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (builder.Configuration[prefix + "HEADERS"] is { Length: > 0 } headers)
        {
            to.Headers = headers;
        }

        if (Uri.TryCreate(builder.Configuration[prefix + "ENDPOINT"], UriKind.Absolute, out var endpoint))
        {
            to.Endpoint = endpoint; // as it is: a signal's own endpoint gets no path appended (OpenTelemetry, OTLP exporter)
        }
    }

    /// <summary>Without an endpoint the exporter would send to a default one that nobody listens on.</summary>
    private static bool IsExported(IHostApplicationBuilder builder, string signal) =>
        (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 } || builder.Configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { Length: > 0 })
        && !Is(builder, $"OTEL_{signal}_EXPORTER", "none");

    private static bool Is(IHostApplicationBuilder builder, string variable, string value) =>
        string.Equals(builder.Configuration[variable], value, StringComparison.OrdinalIgnoreCase);

    private sealed class Added;
}
