using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>
/// One endpoint of one Service: a Pod with the Service's ports already resolved for it.
/// Ready, serving and terminating are the EndpointSlice conditions (discovery.k8s.io/v1).
/// </summary>
public sealed record Endpoint
{
    public required NamespacedName Pod { get; init; }

    public required RowOrder Order { get; init; }

    public required IPAddress Address { get; init; }

    /// <summary>The Service's ports that this Pod has, by the Service port's name.</summary>
    public ImmutableArray<EndpointPort> Ports { get; init; } = [];

    public string NodeName { get; init; } = "";

    public bool Ready { get; init; }

    public bool Serving { get; init; }

    public bool Terminating { get; init; }

    /// <summary>Registered by a stream: on its own machine it is used only while the Agent holds its uid alive.</summary>
    public bool IsRegistered { get; init; }

    /// <summary>A tombstone: no longer an endpoint, kept so that an older message cannot bring it back.</summary>
    public bool Ended { get; init; }

    /// <summary>The Pod's port for a port of its Service, null when it has none.</summary>
    public int? NumberOf(ServicePort port)
    {
        foreach (var candidate in Ports)
        {
            if (candidate.Name == port.Name && candidate.Protocol == port.Protocol)
            {
                return candidate.Number;
            }
        }

        return null;
    }

    public bool Has(ServicePort port) => NumberOf(port) is not null;
}

/// <summary><paramref name="Name"/> is the Service port's name (empty for the only one), <paramref name="Number"/> the Pod's port.</summary>
public readonly record struct EndpointPort(string Name, TransportProtocol Protocol, int Number);
