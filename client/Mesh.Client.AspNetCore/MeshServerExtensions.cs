using Mesh.Client.AspNetCore;
using Mesh.Client.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;

// Where an application that adds services looks already: no using is needed.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Tells Mesh of a host's web server.</summary>
public static class MeshServerExtensions
{
    /// <summary>
    /// The ports of the web server are those of the Pod, and its connections are closed as the Pod leaves. <c>AddMesh</c> of a
    /// <c>WebApplicationBuilder</c> calls it; beside any other <c>AddMesh</c>, a host with a web server does, before or after. In a
    /// host without one it changes nothing.
    /// </summary>
    public static IServiceCollection AddMeshServer(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(AllocatedTransport)))
        {
            return services;
        }

        // Of Kestrel's transports the last that can bind an endpoint does; somebody must when Mesh has no address to bind.
        services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        services.AddSingleton<AllocatedTransport>();
        services.AddSingleton<IConnectionListenerFactory>(host => host.GetRequiredService<AllocatedTransport>());
        services.AddSingleton<IConnectionListenerFactory>(host => new ExplainedTransport(host, host.GetRequiredService<WildcardPorts>()));
        services.AddSingleton<IStartupFilter, LeavingConnections>();
        services.Replace(ServiceDescriptor.Singleton<IPodServer, ServerAddresses>());
        return services;
    }
}
