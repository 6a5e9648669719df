using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// The endpoints of one name as it is called: by its port and scheme. What it throws fails every request until it stops, so
/// it throws only what the caller must know: that the node was never heard of, that no Pod is ready, that no port fits.
/// </summary>
/// <param name="isConfigured">Whether the configuration has come to name the Service.</param>
/// <param name="mayThrow">Else nobody to call is an address that leads nowhere.</param>
internal sealed class MeshEndpointProvider(
    ServiceWatches watches, ServiceWatch watch, MeshServiceName asked, PortChoice choice, Func<bool> isConfigured, bool mayThrow) : IServiceEndpointProvider
{
    /// <summary>Of the names below it there is none (RFC 6761, 6.4), so nobody is called by mistake.</summary>
    private const string Nowhere = "mesh.invalid";

    private int _isDisposed;

    public async ValueTask PopulateAsync(IServiceEndpointBuilder endpoints, CancellationToken cancellationToken)
    {
        await watch.FirstAsync(cancellationToken);
        // The token first: a change between the two is then told by it. And always: without one there is no next look.
        var token = watch.Token;
        var word = watch.Word;
        endpoints.AddChangeToken(token);
        if (endpoints.Endpoints.Count != 0 || isConfigured())
        {
            return;
        }

        switch (word)
        {
            case ServiceWord.Known { Service.Host: var host } when !asked.IsOf(host):
                // Of another cluster: the next provider's.
                break;
            case ServiceWord.Known { Service: { Target: { } target } known }:
                AddTarget(endpoints, target, known);
                break;
            case ServiceWord.Known known:
                AddPods(endpoints, known.Service);
                break;
            case ServiceWord.Missing missing when asked.IsServiceOnly:
                AddNobody(endpoints, "missing", new MeshDiscoveryException(watch.Name.ToString(), missing.Why.TrimEnd('.'), SocketError.HostNotFound));
                break;
            case ServiceWord.Missing missing when asked.Form != NameForm.TwoLabels:
                watches.TellMissing(watch.Name, missing.Why);
                break;
            case ServiceWord.Missing:
            case ServiceWord.None when asked.Form == NameForm.TwoLabels:
                // The next provider's: DNS's, where there is one. A node that is away must not keep the application from the world.
                break;
            case ServiceWord.None none:
                AddNobody(
                    endpoints,
                    "unknown",
                    new MeshDiscoveryException(
                        watch.Name.ToString(),
                        $"Service {watch.Name} cannot be called by name: the node at {watches.Source.Node} does not tell of it ({none.Why}). "
                        + "MESH_ENABLED=false leaves names to DNS, and so does a dot behind one",
                        SocketError.HostUnreachable));
                break;
            default:
                throw new UnreachableException();
        }
    }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            watches.Release(watch);
        }

        return ValueTask.CompletedTask;
    }

    public override string ToString() => "Mesh";

    private void AddPods(IServiceEndpointBuilder endpoints, KnownService known)
    {
        var (port, scheme) = choice.Of(watch.Name, known);
        if (port.Usable.IsEmpty)
        {
            var reason = port.Total == 0 ? $"no Pod with port {port} belongs to it" : "kubectl describe pod says why";
            AddNobody(endpoints, "no-ready-pod", new MeshNoReadyEndpointsException(watch.Name.ToString(), port.Ready, port.Total, reason, known.Revision));
            return;
        }

        // In an order of its own: many clients that go around one list would go in step.
        var shuffled = port.Usable.ToArray();
        watches.Source.Shuffle(shuffled);
        var host = new ServiceHost(known.Host);
        foreach (var address in shuffled)
        {
            var endpoint = Of(new UriBuilder(scheme, address.Address.ToString(), address.Port).Uri);
            endpoint.Features.Set<IHostNameFeature>(host);
            endpoints.Endpoints.Add(endpoint);
        }
    }

    /// <summary>Another name for a host elsewhere: it is called by its own, as a server there knows no other.</summary>
    private void AddTarget(IServiceEndpointBuilder endpoints, string target, KnownService known)
    {
        var (scheme, port) = choice.OfTarget(watch.Name, known);
        endpoints.Endpoints.Add(Of(new UriBuilder(scheme, target.TrimEnd('.'), port ?? -1).Uri));
    }

    private void AddNobody(IServiceEndpointBuilder endpoints, string why, MeshDiscoveryException told)
    {
        if (mayThrow)
        {
            throw told;
        }

        endpoints.Endpoints.Add(Of(new Uri($"http://{why}.{watch.Name.Name}.{watch.Name.Namespace}.{Nowhere}")));
    }

    /// <summary>With its scheme: a bare address would be called by the first that the caller takes, so https on a plain port.</summary>
    private ServiceEndpoint Of(Uri uri)
    {
        var endpoint = ServiceEndpoint.Create(new UriEndPoint(uri));
        endpoint.Features.Set<IServiceEndpointProvider>(this);
        return endpoint;
    }

    /// <summary>Host header, server.address of the client's span, and TLS name are the Service's, not the Pod's address.</summary>
    private sealed class ServiceHost(string name) : IHostNameFeature
    {
        public string HostName => name;
    }
}
