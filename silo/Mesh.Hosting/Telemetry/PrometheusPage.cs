using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Mesh.Hosting.Telemetry;

/// <summary>What this process measured, as Prometheus reads it.</summary>
public static class PrometheusPage
{
    /// <summary>The text format: what is answered to one that asks for nothing better.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Where Prometheus looks unless it is told otherwise.</summary>
    public const string Path = "/metrics";

    /// <summary>False when telemetry is switched off.</summary>
    public static bool IsServed(IServiceProvider services) => services.GetService<MeterProvider>() is not null;

    /// <param name="services">Of a host with telemetry.</param>
    /// <returns>Answers whatever it is asked with the page; null when telemetry is switched off.</returns>
    public static RequestDelegate? Of(IServiceProvider services)
    {
        if (services.GetService<MeterProvider>() is not { } meters)
        {
            return null;
        }

        var pipeline = new ApplicationBuilder(services);
        pipeline.UseOpenTelemetryPrometheusScrapingEndpoint(meters, static _ => true, path: null, configureBranchedPipeline: null, optionsName: null);
        return pipeline.Build();
    }

    /// <summary>The page of this process as text, without a request of somebody.</summary>
    /// <exception cref="InvalidOperationException">There is no page.</exception>
    public static async Task<string> ReadAsync(RequestDelegate page, CancellationToken stop)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestAborted = stop };
        context.Request.Method = HttpMethods.Get;
        context.Request.Headers.Accept = "text/plain";
        context.Response.Body = body;
        await page(context);
        if (context.Response.StatusCode != StatusCodes.Status200OK)
        {
            throw new InvalidOperationException($"The figures of this process could not be collected: {context.Response.StatusCode}.");
        }

        return System.Text.Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length);
    }
}
