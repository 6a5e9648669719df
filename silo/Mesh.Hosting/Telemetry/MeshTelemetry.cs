using System.Collections;
using Mesh.Hosting.Options;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mesh.Hosting.Telemetry;

/// <summary>Traces, metrics and logs over OTLP when the standard variables name an endpoint; figures for Prometheus always.</summary>
public static class MeshTelemetry
{
    public const string DataPlane = "mesh-ingress";

    public const string ControlPlane = "mesh-silo";

    /// <summary>Every ActivitySource and Meter of Mesh begins so.</summary>
    private const string Own = "Mesh.*";

    /// <summary>Collections, memory, processor time and threads, as .NET measures them of itself.</summary>
    private const string Runtime = "System.Runtime";

    private const string Process = "process.executable.name";

    private const string Orleans = "Microsoft.Orleans";

    /// <summary>For mesh-node: every request of the Ingress that is sampled.</summary>
    public static IServiceCollection AddDataPlaneTelemetry(this IServiceCollection services, string nodeName, IDictionary environment) =>
        services.AddTelemetry(DataPlane, nodeName, environment, static tracing => tracing, static meters => meters);

    /// <summary>For mesh-silo: what was asked for, and what happens below a sampled request.</summary>
    public static IServiceCollection AddControlPlaneTelemetry(
        this IServiceCollection services, string nodeName, IDictionary environment, ControlPlaneTraces traces) => services.AddTelemetry(
            ControlPlane,
            nodeName,
            environment,
            tracing => ControlPlaneSampler.For(traces) is { } sampler ? tracing.AddSource(Orleans + ".Application").SetSampler(sampler) : tracing.AddSource(Orleans + ".Application"),
            static meters => meters.AddMeter(Orleans));

    /// <summary>Whether anybody gets to see a trace.</summary>
    public static bool IsTraced(IDictionary environment) => !Is(environment, "OTEL_SDK_DISABLED", "true") && IsExported(environment, "TRACES");

    /// <param name="serviceName">What Jaeger shows, unless OTEL_SERVICE_NAME says otherwise.</param>
    private static IServiceCollection AddTelemetry(
        this IServiceCollection services,
        string serviceName,
        string nodeName,
        IDictionary environment,
        Func<TracerProviderBuilder, TracerProviderBuilder> trace,
        Func<MeterProviderBuilder, MeterProviderBuilder> measure)
    {
        if (Is(environment, "OTEL_SDK_DISABLED", "true"))
        {
            return services;
        }

        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => Describe(resource, serviceName, nodeName, environment))
            .WithMetrics(meters => measure(meters.AddMeter(Own, Runtime)).AddPrometheusExporter(ForPrometheus));
        if (IsExported(environment, "METRICS"))
        {
            telemetry.WithMetrics(meters => meters.AddOtlpExporter(to => Signal(to, environment, "METRICS")));
        }

        if (IsExported(environment, "TRACES"))
        {
            telemetry.WithTracing(tracing => trace(tracing.AddSource(Own)).AddOtlpExporter(to => Signal(to, environment, "TRACES")));
        }

        if (IsExported(environment, "LOGS"))
        {
            // What the log says, no more: the filters of the log's level count for every provider.
            telemetry.WithLogging(records => records.AddOtlpExporter(to => Signal(to, environment, "LOGS")), options => options.IncludeFormattedMessage = true);
        }

        return services;
    }

    /// <summary>
    /// The standard variables as a host's configuration, which is where the exporters look: a host that was made empty has
    /// none, and they would export to their default endpoint.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, string?>> Variables(IDictionary environment) => environment
        .Cast<DictionaryEntry>()
        .Where(variable => ((string)variable.Key).StartsWith("OTEL_", StringComparison.Ordinal))
        .Select(variable => new KeyValuePair<string, string?>((string)variable.Key, (string?)variable.Value));

    private static void ForPrometheus(PrometheusAspNetCoreOptions page)
    {
        // Both processes stand on one page, and nothing else would tell their figures apart: names of services are the user's.
        page.ResourceConstantLabels = static attribute => attribute == Process;
        page.ScopeInfoEnabled = false;
        page.TargetInfoEnabled = false;
    }

    /// <summary>The variables of one signal, which win over the general ones; the exporter itself reads only those.</summary>
    private static void Signal(OtlpExporterOptions to, IDictionary environment, string signal)
    {
        var prefix = $"OTEL_EXPORTER_OTLP_{signal}_";
        if (environment[prefix + "PROTOCOL"] is string { Length: > 0 } protocol)
        {
            to.Protocol = protocol.Equals("grpc", StringComparison.OrdinalIgnoreCase) ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (environment[prefix + "HEADERS"] is string { Length: > 0 } headers)
        {
            to.Headers = headers;
        }

        if (Uri.TryCreate(environment[prefix + "ENDPOINT"] as string, UriKind.Absolute, out var endpoint))
        {
            to.Endpoint = endpoint; // as it is: a signal's own endpoint gets no path appended (OpenTelemetry, OTLP exporter)
        }
    }

    private static bool IsExported(IDictionary environment, string signal) =>
        (environment["OTEL_EXPORTER_OTLP_ENDPOINT"] is string { Length: > 0 } || environment[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is string { Length: > 0 })
        && !Is(environment, $"OTEL_{signal}_EXPORTER", "none");

    private static bool Is(IDictionary environment, string variable, string value) =>
        string.Equals(environment[variable] as string, value, StringComparison.OrdinalIgnoreCase);

    private static void Describe(ResourceBuilder resource, string serviceName, string nodeName, IDictionary environment)
    {
        if (environment["OTEL_SERVICE_NAME"] is not string { Length: > 0 })
        {
            resource.AddService(
                serviceName, serviceNamespace: "mesh-system", serviceVersion: HelpText.Version, serviceInstanceId: nodeName);
        }

        resource.AddAttributes(new Dictionary<string, object>
        {
            ["k8s.node.name"] = nodeName,
            ["host.name"] = Environment.MachineName,
            [Process] = serviceName == DataPlane ? "mesh-node" : "mesh-silo",
            ["process.pid"] = (long)Environment.ProcessId,
            ["process.runtime.name"] = ".NET",
            ["process.runtime.version"] = Environment.Version.ToString(),
            ["telemetry.distro.name"] = "mesh",
        });
        // What the user says of resource attributes wins.
        resource.AddEnvironmentVariableDetector();
    }
}
