using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Tests;

/// <summary>Real hosts with the SDK in them, and what tests read of a Pod.</summary>
internal static class HostUnderTest
{
    /// <summary>A web application on a free port, which answers its own name.</summary>
    public static WebApplicationBuilder Web(NodeUnderTest node, Action<MeshOptions>? configure = null, string urls = "http://127.0.0.1:0")
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("AllowedHosts", "*")]);
        builder.WebHost.UseUrls(urls);
        builder.AddMesh(options =>
        {
            options.NodeUrl = node.Url;
            options.DrainDelay = TimeSpan.Zero;
            configure?.Invoke(options);
        });
        return builder;
    }

    public static async Task<WebApplication> StartAsync(WebApplicationBuilder builder, CancellationToken stop, RequestDelegate? answer = null)
    {
        var app = builder.Build();
        app.MapMeshHealth();
        app.Map("/", answer ?? (context => context.Response.WriteAsync("soup")));
        await app.StartAsync(stop);
        return app;
    }

    public static WebApplicationBuilder With(this WebApplicationBuilder builder, TimeProvider time)
    {
        builder.Services.AddSingleton(time);
        return builder;
    }

    public static WebApplicationBuilder With(this WebApplicationBuilder builder, string check, Func<CancellationToken, Task<HealthStatus>> answer)
    {
        builder.Services.AddHealthChecks().AddAsyncCheck(check, async stop => new HealthCheckResult(await answer(stop)), ["ready"]);
        return builder;
    }

    public static IMeshRegistration Mesh(this IHost host) => host.Services.GetRequiredService<IMeshRegistration>();

    /// <summary>Waits for a state, by watching.</summary>
    public static async Task IsAsync(this IMeshRegistration registration, MeshPodState expected, CancellationToken stop)
    {
        await foreach (var state in registration.WatchStateAsync(stop))
        {
            if (state == expected)
            {
                return;
            }
        }

        Xunit.Assert.Equal(expected, registration.State);
    }

    public static IReadOnlyDictionary<string, int> Ports(this JsonElement pod) =>
        pod.GetProperty("spec").GetProperty("containers")[0].TryGetProperty("ports", out var ports)
            ? ports.EnumerateArray().ToDictionary(port => port.GetProperty("name").GetString()!, port => port.GetProperty("containerPort").GetInt32())
            : new Dictionary<string, int>();

    public static string Uid(this JsonElement pod) => pod.GetProperty("metadata").GetProperty("uid").GetString()!;

    public static string? Annotation(this JsonElement pod, string key) => Metadata(pod, "annotations", key);

    public static string? Label(this JsonElement pod, string key) => Metadata(pod, "labels", key);

    public static bool IsReady(this JsonElement pod) => pod.GetProperty("status").GetProperty("conditions")[0].GetProperty("status").GetString() == "True";

    private static string? Metadata(JsonElement pod, string map, string key) =>
        pod.GetProperty("metadata").TryGetProperty(map, out var pairs) && pairs.TryGetProperty(key, out var value) ? value.GetString() : null;
}
