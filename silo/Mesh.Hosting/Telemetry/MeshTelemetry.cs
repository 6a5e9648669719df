using System.Collections;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mesh.Hosting.Telemetry;

/// <summary>Traces and metrics over OTLP, when the standard variables name an endpoint; otherwise nothing at all.</summary>
public static class MeshTelemetry
{
    public const string DataPlane = "mesh-ingress";

    public const string ControlPlane = "mesh-silo";

    /// <summary>Every ActivitySource and Meter of Mesh begins so.</summary>
    private const string Own = "Mesh.*";

    /// <param name="serviceName">What Jaeger shows, unless OTEL_SERVICE_NAME says otherwise.</param>
    /// <param name="sources">Sources and meters of packages that this process listens to beside Mesh's own.</param>
    public static IServiceCollection AddMeshTelemetry(
        this IServiceCollection services, string serviceName, string nodeName, IDictionary environment, params string[] sources)
    {
        var traces = IsExported(environment, "TRACES");
        var metrics = IsExported(environment, "METRICS");
        if ((!traces && !metrics) || Is(environment, "OTEL_SDK_DISABLED", "true"))
        {
            return services;
        }

        var telemetry = services.AddOpenTelemetry().ConfigureResource(resource => Describe(resource, serviceName, nodeName, environment));
        if (traces)
        {
            telemetry.WithTracing(tracing => tracing.AddSource([Own, .. sources]).AddOtlpExporter());
        }

        if (metrics)
        {
            telemetry.WithMetrics(meters => meters.AddMeter([Own, .. sources]).AddOtlpExporter());
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
                serviceName, serviceNamespace: "mesh-system", serviceVersion: Options.HelpText.Version, serviceInstanceId: nodeName);
        }

        resource.AddAttributes(new Dictionary<string, object>
        {
            ["k8s.node.name"] = nodeName,
            ["host.name"] = Environment.MachineName,
            ["process.pid"] = (long)Environment.ProcessId,
            ["process.runtime.name"] = ".NET",
            ["process.runtime.version"] = Environment.Version.ToString(),
            ["telemetry.distro.name"] = "mesh",
        });
        // What the user says of resource attributes wins.
        resource.AddEnvironmentVariableDetector();
    }
}
