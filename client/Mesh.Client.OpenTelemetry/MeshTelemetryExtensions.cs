using Microsoft.Extensions.DependencyInjection;

// Where an application that builds a host looks already: no using is needed.
namespace Microsoft.Extensions.Hosting;

/// <summary>Switches the telemetry of an application on.</summary>
public static class MeshTelemetryExtensions
{
    /// <summary>
    /// Traces of the requests that the application answers and makes, their metrics and those of the runtime, and its log,
    /// all sent by OTLP to where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says; without it nothing is sent. Sources and exporters of the
    /// application's own are added as always, with <c>AddOpenTelemetry</c>; with <c>AddMesh</c> the Pod is named in all of it.
    /// </summary>
    public static TBuilder AddMeshTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddMeshTelemetry(builder.Configuration);
        return builder;
    }
}
