using System.Net;
using Mesh.Client.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.AspNetCore;

/// <summary>
/// Stands before Kestrel's other transports and lets them bind; when a port of every address is in use, it says whose
/// ClusterIP has it. On Linux the two exclude each other, and the kernel's error names neither.
/// </summary>
internal sealed class ExplainedTransport(IServiceProvider services, WildcardPorts wildcards) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint { Port: > 0 };

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        // The last that can, as Kestrel chooses.
        var binds = services.GetServices<IConnectionListenerFactory>().Last(
            other => other != this && (other is not IConnectionListenerFactorySelector selector || selector.CanBind(endpoint)));
        try
        {
            return await binds.BindAsync(endpoint, cancellationToken);
        }
        catch (AddressInUseException) when (binds is not AllocatedTransport)
        {
            await wildcards.ExplainAsync((IPEndPoint)endpoint, cancellationToken);
            throw;
        }
    }
}
