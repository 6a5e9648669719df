using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace Mesh.Benchmarks.Peers;

/// <summary>The peers that this program is itself: YARP as its documentation sets it up, and the least of an ASP.NET application.</summary>
internal static class BareWeb
{
    public const string YarpRole = "peer-yarp";
    public const string AspNetRole = "peer-aspnet";

    /// <summary>One route that takes everything to one destination, default transforms, nothing logged.</summary>
    public static async Task RunYarpAsync(int backendPort)
    {
        var builder = Builder();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "backend", Match = new RouteMatch { Path = "{**all}" } }],
            [
                new ClusterConfig
                {
                    ClusterId = "backend",
                    Destinations = new Dictionary<string, DestinationConfig>
                    {
                        ["one"] = new() { Address = $"http://127.0.0.1:{backendPort.ToString(CultureInfo.InvariantCulture)}/" },
                    },
                },
            ]);
        var app = builder.Build();
        app.MapReverseProxy();
        await RunAsync(app);
    }

    public static async Task RunAspNetAsync()
    {
        var app = Builder().Build();
        app.MapGet("/readyz", () => "ok");
        await RunAsync(app);
    }

    private static WebApplicationBuilder Builder()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        return builder;
    }

    private static async Task RunAsync(WebApplication app)
    {
        await app.StartAsync();
        Console.WriteLine(new Uri(app.Urls.Single()).Port);
        await app.WaitForShutdownAsync();
    }
}
