using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Mesh.ApiServer;
using Mesh.Core;
using Mesh.Core.Descriptors;
using Mesh.Grains;
using Mesh.Grains.Gateways;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;
using Mesh.Hosting.Sockets;
using Mesh.Hosting.Telemetry;
using Mesh.Loops;
using Mesh.NodeLink.SiloEnd;
using Mesh.Silo.Certificates;
using Mesh.Silo.Links;
using Mesh.Silo.Nodes;
using Mesh.Storage;
using Mesh.Storage.Sqlite;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Mesh.Silo.Starting;

/// <summary>Puts the control plane together: store, grains, API and the node's link, in one host.</summary>
internal static class SiloHost
{
    public static WebApplication Build(StartContext start, ILogOutput output)
    {
        var options = start.Options;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "mesh-silo" });
        builder.Logging.AddMesh(output, start.LogsJson, () => options.LogLevel, TimeProvider.System, packagesAreHeard: () => start.Phase.IsOver);
        builder.Services.AddSingleton<ILoggerProvider>(services => new HandshakeFailures(start.Certificate, services.GetRequiredService<TimeProvider>(), services));
        builder.Logging.AddFilter<HandshakeFailures>((category, level) => HandshakeFailures.Listens(category, level));
        builder.Services.AddSingleton<IHostLifetime, OwnLifetime>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ProcessLoops>();
        builder.Services.AddRoutingCore();
        builder.Configuration.AddInMemoryCollection(MeshTelemetry.Variables(start.Environment));
        builder.Services.AddControlPlaneTelemetry(options.NodeName, start.Environment, options.TraceControlPlane);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var endPoint in start.Addresses.Api.EndPoints())
            {
                kestrel.Listen(endPoint, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = start.Certificate.Current }),
                }));
            }
        });

        var descriptors = new DescriptorBudget(ProcessLimits.Files());
        var share = descriptors.Open("Connections to the API", own: 0);
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => new SharedTransport(
            ActivatorUtilities.CreateInstance<SocketTransportFactory>(services), share, services.GetRequiredService<TimeProvider>()));

        // The order of these is the order of starting: the store before what reads it, the grains before who calls them.
        builder.Services.AddMeshStorage(new SqliteStoreOptions { DataDirectory = start.Data.FullPath, NumberOf = FileStatus.Number });
        AddLinks(builder.Services, start);
        builder.UseOrleans(orleans =>
        {
            OrleansSetup.Alone(orleans, start.Addresses.Silo.Port, options.NodeName, MeshTelemetry.IsTraced(start.Environment));
            orleans.AddMeshGrains(new GrainOptions
            {
                ServiceCidr = options.ServiceCidr,
                FirstNodePort = options.NodePortRange.First,
                LastNodePort = options.NodePortRange.Last,
                LoadBalancerPool = options.LoadBalancerPool.IsEmpty
                    ? [new IPNetwork(options.Advertise, options.Advertise.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)]
                    : options.LoadBalancerPool,
                NodeName = options.NodeName,
                OwnListeners = start.Addresses.Listeners(),
            });
        });
        builder.Services.AddSingleton<IConfigureOptions<ApiOptions>>(services => new ConfigureOptions<ApiOptions>(api =>
        {
            var (node, loops) = (services.GetRequiredService<NodeReadiness>(), services.GetRequiredService<ProcessLoops>());
            api.WhyNotReady = () => node.WhyNot() ?? (share.HasRoom() ? null : share.WhyFull) ?? loops.WhyNotReady();
            api.OtherPaths = PrometheusPage.IsServed(services) ? [PrometheusPage.Path] : [];
        }));
        builder.Services.AddMeshApi(api =>
        {
            api.Token = start.Token;
            api.Build = HelpText.Version;
        });
        return Map(builder.Build());
    }

    private static WebApplication Map(WebApplication app)
    {
        app.MapMeshApi();
        if (PrometheusPage.Of(app.Services) is { } metrics)
        {
            app.MapGet(PrometheusPage.Path, metrics);
        }

        return app;
    }

    private static void AddLinks(IServiceCollection services, StartContext start)
    {
        services.AddSingleton(start.ForNode);
        services.AddSingleton(start.IngressCertificate);
        services.AddSingleton(start.Data);
        services.AddSingleton(start.Executable);
        services.AddSingleton<NodeSupervisor>();
        services.AddSingleton<OpenLinks>();
        services.AddSingleton<IGatewayLinks>(provider => provider.GetRequiredService<OpenLinks>());
        services.AddSingleton<PortEvents>();
        services.AddSingleton<NodeLinks>();
        services.AddSingleton(provider => new NodeReadiness(
            new Uri($"http://{start.Addresses.Node}"),
            provider.GetRequiredService<OpenLinks>(),
            provider.GetRequiredService<NodeSupervisor>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new LinkServer(
            start.Data.LinkSocket,
            provider.GetRequiredService<NodeLinks>(),
            new SystemRandom(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>(),
            PrometheusPage.Of(provider)));
    }
}
