using System.Diagnostics.CodeAnalysis;
using Mesh.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// Takes the names that may be Services of Mesh. What stands in the configuration is left to it, in whatever order the
/// providers were added.
/// </summary>
internal sealed class MeshEndpointProviderFactory(
    ServiceWatches watches,
    IOptions<MeshOptions> mesh,
    IOptions<ServiceDiscoveryOptions> discovery,
    IOptions<ConfigurationServiceEndpointProviderOptions> configured,
    IConfiguration? configuration = null,
    IServiceProviderIsService? added = null) : IServiceEndpointProviderFactory
{
    /// <summary>
    /// YARP reads destinations as it starts and when they change: a failure there ends the host, or leaves it with what it
    /// had for five minutes, whatever comes meanwhile.
    /// </summary>
    private readonly bool _mayThrow =
        Type.GetType("Yarp.ReverseProxy.ServiceDiscovery.IDestinationResolver, Yarp.ReverseProxy") is not { } resolver || added?.IsService(resolver) != true;

    public bool TryCreateProvider(ServiceEndpointQuery query, [NotNullWhen(true)] out IServiceEndpointProvider? provider)
    {
        provider = null;
        var options = mesh.Value;
        if (!options.Enabled || !MeshServiceName.TryParse(query.ServiceName, options.Namespace, out var name) || IsConfigured(query.ServiceName))
        {
            return false;
        }

        if (watches.Acquire(name.Service) is not { } watch)
        {
            return false;
        }

        provider = new MeshEndpointProvider(watches, watch, name, PortChoice.From(query, discovery.Value), () => IsConfigured(query.ServiceName), _mayThrow);
        return true;
    }

    private bool IsConfigured(string service) => configuration?.GetSection(configured.Value.SectionName).GetSection(service).Exists() == true;
}
