using System.Collections.Immutable;
using Mesh.Core.Pods;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>Which Pods are endpoints of a Service, and which endpoints may be used (EndpointSlice controller; kube-proxy topology.go).</summary>
public static class EndpointSelection
{
    /// <summary>Whether the selector matches; an empty selector matches nothing.</summary>
    public static bool IsSelected(ImmutableSortedDictionary<string, string> selector, ImmutableSortedDictionary<string, string> labels) =>
        throw new NotImplementedException();

    /// <summary>The Service's ports resolved for a Pod: a named target port that the Pod lacks (name and protocol) is left out.</summary>
    public static ImmutableArray<EndpointPort> PortsFor(Service service, ImmutableArray<ContainerPort> podPorts) =>
        throw new NotImplementedException();

    /// <summary>The routes of all of a Service's ports from its endpoints. <paramref name="isSilent"/>: the node's Ready condition is Unknown.</summary>
    public static ImmutableArray<PortRoute> Usable(Service service, ImmutableArray<Endpoint> endpoints, Func<string, bool> isSilent) =>
        throw new NotImplementedException();
}
