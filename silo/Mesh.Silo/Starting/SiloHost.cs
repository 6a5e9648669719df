using Mesh.Hosting.Logging;
using Mesh.Hosting.Processes;
using Mesh.Hosting.Telemetry;

namespace Mesh.Silo.Starting;

/// <summary>Puts the control plane together: store, grains, API and the node's link, in one host.</summary>
internal static class SiloHost
{
    public static WebApplication Build(StartContext start, ILogOutput output)
    {
        var options = start.Options;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "mesh-silo" });
        builder.Logging.AddMesh(output, start.LogsJson, () => options.LogLevel, TimeProvider.System);
        builder.Services.AddSingleton<IHostLifetime, OwnLifetime>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddRoutingCore();
        builder.Services.AddMeshTelemetry(MeshTelemetry.ControlPlane, options.NodeName, start.Environment, "Microsoft.Orleans.Application", "Microsoft.Orleans");
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var endPoint in start.Addresses.Api.EndPoints())
            {
                kestrel.Listen(endPoint, listen => listen.UseHttps(start.Certificate));
            }
        });
        builder.UseOrleans(orleans => OrleansSetup.Alone(orleans, start.Addresses.Silo.Port, options.NodeName));

        var app = builder.Build();
        app.UseRouting();
        app.MapGet("/livez", () => "ok");
        return app;
    }
}
