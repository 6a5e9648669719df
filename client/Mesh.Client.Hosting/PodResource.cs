using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mesh.Client.Hosting;

/// <summary>
/// Names the Pod in the application's traces, metrics and logs (OpenTelemetry, "Specify resource attributes using Kubernetes
/// annotations"), when the application has any: until it adds OpenTelemetry nothing of this is ever called.
/// </summary>
internal static class PodResource
{
    private const string ServiceName = "service.name";

    /// <summary>What the SDK says of a service that nobody has named.</summary>
    private const string Unknown = "unknown_service";

    public static void Describe(IServiceCollection services)
    {
        services.ConfigureOpenTelemetryTracerProvider((host, traces) => traces.ConfigureResource(resource => Describe(resource, host)));
        services.ConfigureOpenTelemetryMeterProvider((host, meters) => meters.ConfigureResource(resource => Describe(resource, host)));
        services.ConfigureOpenTelemetryLoggerProvider((host, records) => records.ConfigureResource(resource => Describe(resource, host)));
    }

    /// <summary>Only what nobody has said: the application's own words, and those of OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, win.</summary>
    private static void Describe(ResourceBuilder resource, IServiceProvider host)
    {
        var mesh = host.GetRequiredService<IOptions<MeshOptions>>().Value;
        if (!mesh.Enabled)
        {
            return;
        }

        var said = resource.Build().Attributes
            .Where(attribute => attribute.Key != ServiceName || attribute.Value is not string name || !name.StartsWith(Unknown, StringComparison.Ordinal))
            .Select(attribute => attribute.Key)
            .Concat(OfVariables(host.GetRequiredService<IConfiguration>()))
            .ToHashSet(StringComparer.Ordinal);
        resource.AddAttributes(OfPod(mesh).Where(attribute => !said.Contains(attribute.Key)));
    }

    /// <summary>What the standard variables name: OpenTelemetry reads them from the host's configuration, only when the resource is whole.</summary>
    private static IEnumerable<string> OfVariables(IConfiguration variables) =>
        (variables["OTEL_RESOURCE_ATTRIBUTES"] ?? "").Split(',').Select(pair => pair.Split('=')[0].Trim())
            .Concat(variables["OTEL_SERVICE_NAME"] is { Length: > 0 } ? [ServiceName] : []);

    private static IEnumerable<KeyValuePair<string, object>> OfPod(MeshOptions mesh)
    {
        var pod = mesh.FirstPodName(new Random());
        yield return new(ServiceName, NameOf(mesh));
        yield return new("service.namespace", mesh.Namespace);
        yield return new("service.instance.id", $"{mesh.Namespace}.{pod}");
        yield return new("k8s.namespace.name", mesh.Namespace);
        yield return new("k8s.pod.name", pod);
    }

    /// <summary>The application that the labels name, else the program.</summary>
    private static string NameOf(MeshOptions mesh) =>
        Value(mesh.Annotations, "resource.opentelemetry.io/service.name")
        ?? Value(mesh.Labels, "app.kubernetes.io/instance")
        ?? Value(mesh.Labels, "app.kubernetes.io/name")
        ?? Value(mesh.Labels, "app")
        ?? MeshOptions.ApplicationName;

    private static string? Value(IDictionary<string, string> map, string key) => map.TryGetValue(key, out var value) && value.Length > 0 ? value : null;
}
