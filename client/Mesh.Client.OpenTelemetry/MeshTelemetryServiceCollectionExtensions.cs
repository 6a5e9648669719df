using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

// Where an application that adds services looks already: no using is needed.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Switches the telemetry of an application on, where its builder is not at hand.</summary>
public static class MeshTelemetryServiceCollectionExtensions
{
    /// <summary>Requests that were answered and made, the servers' and clients' own instruments, those of the registration, and of calls by name.</summary>
    private static readonly string[] Meters =
        ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "Mesh.Client", "Mesh.ServiceDiscovery"];

    /// <summary>As <c>AddMeshTelemetry</c> of a host's builder.</summary>
    /// <param name="configuration">The host's, of which the <c>OTEL_*</c> variables are read.</param>
    public static IServiceCollection AddMeshTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(Added)) || Is(configuration, "OTEL_SDK_DISABLED", "true"))
        {
            return services;
        }

        services.AddSingleton<Added>();
        services.AddOpenTelemetry()
            .WithTracing(traces => If(IsExported(configuration, "TRACES"), AddRequestsMade(traces.AddAspNetCoreInstrumentation(server => server.Filter = IsWorthASpan)), to => to.AddOtlpExporter(options => Signal(options, configuration, "TRACES"))))
            .WithMetrics(meters => If(IsExported(configuration, "METRICS"), AddRuntime(meters.AddMeter(Meters)), to => to.AddOtlpExporter(options => Signal(options, configuration, "METRICS"))))
            .WithLogging(
                records => If(IsExported(configuration, "LOGS"), records, to => to.AddOtlpExporter(options => Signal(options, configuration, "LOGS"))),
                static options => options.IncludeFormattedMessage = true);
        return services;
    }

#if NET9_0_OR_GREATER
    private static TracerProviderBuilder AddRequestsMade(TracerProviderBuilder traces) => traces.AddSource("System.Net.Http");

    private static MeterProviderBuilder AddRuntime(MeterProviderBuilder meters) => meters.AddMeter("System.Runtime");
#else
    /// <summary>The spans that HttpClient of .NET 8 makes by itself say neither what was asked for nor what was answered.</summary>
    private static TracerProviderBuilder AddRequestsMade(TracerProviderBuilder traces) => traces.AddHttpClientInstrumentation();

    /// <summary>The runtime of .NET 8 has no meter.</summary>
    private static MeterProviderBuilder AddRuntime(MeterProviderBuilder meters) => meters.AddRuntimeInstrumentation();
#endif

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
    private static void Signal(OtlpExporterOptions to, IConfiguration configuration, string signal)
    {
        var prefix = $"OTEL_EXPORTER_OTLP_{signal}_";
        if (configuration[prefix + "PROTOCOL"] is { Length: > 0 } protocol)
        {
            to.Protocol = protocol.Equals("grpc", StringComparison.OrdinalIgnoreCase) ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (configuration[prefix + "HEADERS"] is { Length: > 0 } headers)
        {
            to.Headers = headers;
        }

        if (Uri.TryCreate(configuration[prefix + "ENDPOINT"], UriKind.Absolute, out var endpoint))
        {
            to.Endpoint = endpoint; // as it is: a signal's own endpoint gets no path appended (OpenTelemetry, OTLP exporter)
        }
    }

    /// <summary>Without an endpoint the exporter would send to a default one that nobody listens on.</summary>
    private static bool IsExported(IConfiguration configuration, string signal) =>
        (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 } || configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { Length: > 0 })
        && !Is(configuration, $"OTEL_{signal}_EXPORTER", "none");

    private static bool Is(IConfiguration configuration, string variable, string value) =>
        string.Equals(configuration[variable], value, StringComparison.OrdinalIgnoreCase);

    private sealed class Added;
}
