using System.Collections.Immutable;
using Mesh.Core.Pods;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>Which Pods are endpoints of a Service, and which endpoints may be used (EndpointSlice controller; kube-proxy topology.go).</summary>
public static class EndpointSelection
{
    /// <summary>Whether the selector matches; an empty selector matches nothing.</summary>
    public static bool IsSelected(ImmutableSortedDictionary<string, string> selector, ImmutableSortedDictionary<string, string> labels)
    {
        foreach (var (key, wanted) in selector)
        {
            if (!labels.TryGetValue(key, out var value) || value != wanted)
            {
                return false;
            }
        }

        return !selector.IsEmpty;
    }

    /// <summary>Whether the Pod is an endpoint at all: selected, in the Service's namespace, with an address, not ended.</summary>
    public static bool IsEndpoint(Service service, Pod pod) =>
        service.Name.Namespace == pod.Name.Namespace
        && pod.PodIP is not null
        && !pod.IsTerminal
        && IsSelected(service.Selector, pod.Labels);

    /// <summary>The condition <c>ready</c> of an endpoint: with publishNotReadyAddresses always true, also while it terminates.</summary>
    public static bool IsReady(Service service, bool serving, bool terminating) =>
        service.PublishNotReadyAddresses || (serving && !terminating);

    /// <summary>The Service's ports resolved for a Pod: a named target port that the Pod lacks (name and protocol) is left out.</summary>
    public static ImmutableArray<EndpointPort> PortsFor(Service service, ImmutableArray<ContainerPort> podPorts)
    {
        var ports = ImmutableArray.CreateBuilder<EndpointPort>(service.Ports.Length);
        foreach (var port in service.Ports)
        {
            if (Resolve(port, podPorts) is { } number)
            {
                ports.Add(new EndpointPort(port.Name, port.Protocol, number));
            }
        }

        return ports.DrainToImmutable();
    }

    /// <summary>The routes of all of a Service's ports from its endpoints. <paramref name="isSilent"/>: the node's Ready condition is Unknown.</summary>
    public static ImmutableArray<PortRoute> Usable(Service service, ImmutableArray<Endpoint> endpoints, Func<string, bool> isSilent) =>
        Usable(service, endpoints, isSilent, []);

    /// <summary>As above, sharing with <paramref name="before"/> what did not change.</summary>
    internal static ImmutableArray<PortRoute> Usable(
        Service service, ImmutableArray<Endpoint> endpoints, Func<string, bool> isSilent, ImmutableArray<PortRoute> before)
    {
        var routes = ImmutableArray.CreateBuilder<PortRoute>(service.Ports.Length);
        var isSame = before.Length == service.Ports.Length;
        for (var i = 0; i < service.Ports.Length; i++)
        {
            var old = i < before.Length ? before[i] : null;
            var route = UsablePort.Of(service.Ports[i], endpoints, isSilent, old);
            isSame &= ReferenceEquals(route, old);
            routes.Add(route);
        }

        return isSame ? before : routes.DrainToImmutable();
    }

    private static int? Resolve(ServicePort port, ImmutableArray<ContainerPort> podPorts)
    {
        if (port.Target is TargetPort.Number number)
        {
            return number.Value;
        }

        foreach (var candidate in podPorts)
        {
            if (port.Target is TargetPort.Named named && candidate.Name == named.Value && candidate.Protocol == port.Protocol)
            {
                return candidate.Number;
            }
        }

        return null;
    }
}
