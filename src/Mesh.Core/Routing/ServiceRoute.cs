using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>One Service as the data plane sees it: the frontend, and for each of its ports the endpoints that may be used now.</summary>
public sealed record ServiceRoute
{
    public required Service Service { get; init; }

    /// <summary>Every known endpoint, usable or not, ordered by Pod; DNS and the reasons in error texts read it.</summary>
    public required ImmutableArray<Endpoint> Endpoints { get; init; }

    /// <summary>Parallel to <c>Service.Ports</c>.</summary>
    public required ImmutableArray<PortRoute> Ports { get; init; }

    /// <summary>False until the endpoints are known: then an empty list means "unknown", not "none".</summary>
    public bool IsSynced { get; init; }

    public PortRoute? Port(int number)
    {
        foreach (var port in Ports)
        {
            if (port.Port.Port == number)
            {
                return port;
            }
        }

        return null;
    }

    public PortRoute? Port(string name)
    {
        foreach (var port in Ports)
        {
            if (port.Port.Name == name)
            {
                return port;
            }
        }

        return null;
    }
}

/// <summary>
/// A Service port and its usable endpoints by kube-proxy's rule (ready; else serving and terminating), endpoints of
/// silent nodes only when there is no other.
/// </summary>
public sealed record PortRoute(ServicePort Port, ImmutableArray<Target> Usable);

/// <summary>Where one connection or request goes: made once per snapshot, so that picking allocates nothing.</summary>
public sealed record Target(Endpoint Endpoint, IPEndPoint Address);
