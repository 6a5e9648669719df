using Mesh.Client;
using Mesh.Client.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// Where an application that adds services looks already: no using is needed.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Joins a host to Mesh, where its builder is not at hand.</summary>
public static class MeshServiceCollectionExtensions
{
    /// <summary>As <c>AddMesh</c> of a host's builder; <c>MESH_*</c> then wins over all of the host's configuration.</summary>
    public static IServiceCollection AddMesh(this IServiceCollection services, Action<MeshOptions>? configure = null)
    {
        if (configure is not null)
        {
            services.Configure(configure); // after the configuration was read, also when this is not the first call
        }

        if (services.Any(service => service.ServiceType == typeof(MeshRegistrationService)))
        {
            return services;
        }

        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<MeshOptions>>(host => new ConfigureOptions<MeshOptions>(
            options => MeshSection.Read(host.GetRequiredService<IConfiguration>(), options))));
        services.AddSingleton<IOptionsChangeTokenSource<MeshOptions>>(host => new ConfigurationChangeTokenSource<MeshOptions>(host.GetRequiredService<IConfiguration>()));
        services.AddOptions<MeshOptions>().ValidateOnStart();
        services.AddSingleton<MeshOptionsCheck>();
        services.AddSingleton<IValidateOptions<MeshOptions>>(host => host.GetRequiredService<MeshOptionsCheck>());
        services.AddHealthChecks();
        services.AddOptions<HealthCheckServiceOptions>().Configure<IOptions<MeshOptions>>((health, mesh) => health.Registrations.Add(Check(mesh.Value)));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IPodServer>(_ => new NoServer());
        services.AddSingleton(host => new WildcardPorts(host.GetRequiredService<ILoggerFactory>().CreateLogger(MeshClient.LogCategory)));
        services.AddSingleton(host => ActivatorUtilities.CreateInstance<MeshRegistrationService>(host, new WebServerSeen(services.Any(IsWebServer))));
        services.AddMeshServiceDiscovery();
        PodResource.Describe(services);
        services.AddSingleton<IMeshRegistration>(host => IsEnabled(host) ? host.GetRequiredService<MeshRegistrationService>().Registration : new DisabledRegistration());
        services.AddSingleton<IHostedService>(host => IsEnabled(host) ? host.GetRequiredService<MeshRegistrationService>() : new Nothing());
        return services;
    }

    private static HealthCheckRegistration Check(MeshOptions options) =>
        new(options.HealthCheckName, host => new MeshHealthCheck(host.GetRequiredService<IMeshRegistration>()), failureStatus: null, options.HealthCheckTags);

    private static bool IsEnabled(IServiceProvider host) => host.GetRequiredService<IOptions<MeshOptions>>().Value.Enabled;

    /// <summary>By name: a worker has no ASP.NET Core to ask.</summary>
    private static bool IsWebServer(ServiceDescriptor service) => service.ServiceType.FullName == "Microsoft.AspNetCore.Hosting.Server.IServer";

    /// <summary>The hosted service of a host whose Mesh is switched off.</summary>
    private sealed class Nothing : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
