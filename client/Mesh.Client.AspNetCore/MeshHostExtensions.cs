using Mesh.Client;
using Mesh.Client.AspNetCore;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// Where an application that builds a host looks already: no using is needed.
namespace Microsoft.Extensions.Hosting;

/// <summary>Joins a host to Mesh.</summary>
public static class MeshHostExtensions
{
    /// <summary>The tag of health checks that decide whether the Pod takes traffic.</summary>
    public const string ReadyTag = "ready";

    /// <summary>
    /// Registers this process as a Pod with the node of its machine: with the ports that the server bound, ready while the
    /// health checks tagged <c>ready</c> pass, drained on stop. Reads the section <c>Mesh</c>, then <c>MESH_*</c>. A node that
    /// is away neither delays nor ends the host.
    /// </summary>
    public static IHostApplicationBuilder AddMesh(this IHostApplicationBuilder builder, Action<MeshOptions>? configure = null)
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(MeshRegistrationService)))
        {
            services.Configure<MeshOptions>(options => configure?.Invoke(options));
            return builder;
        }

        services.AddOptions<MeshOptions>()
            .Bind(builder.Configuration.GetSection("Mesh"))
            .Configure(options => configure?.Invoke(options))
            .PostConfigure(options => MeshEnvironment.Apply(options, Environment.GetEnvironmentVariable))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<MeshOptions>, MeshOptionsCheck>();
        services.AddHealthChecks().AddCheck<MeshHealthCheck>("mesh");
        services.TryAddSingleton(TimeProvider.System);
        // Of Kestrel's transports the last that can bind an endpoint does; somebody must when Mesh has no address to bind.
        services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        services.AddSingleton<AllocatedTransport>();
        services.AddSingleton<IConnectionListenerFactory>(host => host.GetRequiredService<AllocatedTransport>());
        services.AddSingleton(host => new WildcardPorts(host.GetRequiredService<ILogger<WildcardPorts>>()));
        services.AddSingleton<IConnectionListenerFactory>(host => new ExplainedTransport(host, host.GetRequiredService<WildcardPorts>()));
        services.AddSingleton<IStartupFilter, LeavingConnections>();
        services.AddSingleton<MeshRegistrationService>();
        PodResource.Describe(services);
        services.AddSingleton(host => IsEnabled(host) ? host.GetRequiredService<MeshRegistrationService>().Registration : new DisabledRegistration());
        services.AddSingleton<IHostedService>(host => IsEnabled(host) ? host.GetRequiredService<MeshRegistrationService>() : new Nothing());
        return builder;
    }

    private static bool IsEnabled(IServiceProvider services) => services.GetRequiredService<IOptions<MeshOptions>>().Value.Enabled;

    /// <summary>The hosted service of a host whose Mesh is switched off.</summary>
    private sealed class Nothing : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class MeshOptionsCheck : IValidateOptions<MeshOptions>
    {
        public ValidateOptionsResult Validate(string? name, MeshOptions options)
        {
            var problems = options.Problems().ToList();
            return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
