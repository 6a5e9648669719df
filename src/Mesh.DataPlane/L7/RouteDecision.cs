using System.Collections.Immutable;
using System.Diagnostics;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L7;

/// <summary>Where a request goes by one snapshot, or why nowhere.</summary>
internal readonly record struct RouteDecision(IngressMatch.Found? Match, NamespacedName? Service, ImmutableArray<Target> Usable, Refusal? Refusal)
{
    public static RouteDecision Decide(RoutingSnapshot snapshot, ReadOnlySpan<char> host, ReadOnlySpan<char> path) =>
        snapshot.Ingresses.Match(host, path) switch
        {
            IngressMatch.Found found => Backend(snapshot, found),
            // Without the first full snapshot "no such rule" is not known to be true.
            _ when !snapshot.IsSynced => Refuse(null, null, RefusalReason.NotSynced, "this node has not got its routes yet"),
            IngressMatch.NoHost none => Refuse(null, null, RefusalReason.NoMatchingHost, $"no rule for host '{none.Host}'{Nearest(none.Nearest)}"),
            IngressMatch.NoPath none => Refuse(null, null, RefusalReason.NoMatchingPath, $"no rule for path '{none.Path}' of host '{none.Host}'{Nearest(none.Nearest)}"),
            _ => throw new UnreachableException(),
        };

    private static RouteDecision Backend(RoutingSnapshot snapshot, IngressMatch.Found found)
    {
        if (found.Backend is not { } backend)
        {
            return Refuse(found, null, RefusalReason.ServiceNotFound, $"the rule of Ingress {found.Ingress} has no Service as its backend");
        }

        if (!snapshot.Services.TryGetValue(backend.Service, out var route))
        {
            return snapshot.IsSynced
                ? Refuse(found, backend.Service, RefusalReason.ServiceNotFound, $"Service {backend.Service} does not exist; Ingress {found.Ingress} names it")
                : Refuse(found, backend.Service, RefusalReason.NotSynced, $"Service {backend.Service} is not known to this node yet");
        }

        var port = backend.PortName is { } name ? route.Port(name) : route.Port(backend.PortNumber);
        if (port is null)
        {
            return Refuse(found, backend.Service, RefusalReason.ServicePortNotFound, $"Service {backend.Service} has no port {backend.PortName ?? $"{backend.PortNumber}"}; it has {Ports(route)}");
        }

        return port.Usable.IsEmpty ? Unusable(found, backend.Service, route) : new RouteDecision(found, backend.Service, port.Usable, null);
    }

    private static RouteDecision Unusable(IngressMatch.Found found, NamespacedName service, ServiceRoute route)
    {
        if (!route.IsSynced)
        {
            return Refuse(found, service, RefusalReason.NotSynced, $"the endpoints of Service {service} are not known to this node yet");
        }

        var all = route.Endpoints.Count(endpoint => !endpoint.Ended);
        if (all > 0)
        {
            return Refuse(found, service, RefusalReason.NoReadyEndpoints, $"Service {service}: {route.Endpoints.Count(endpoint => endpoint is { Ended: false, Ready: true })} of {all} Pods ready");
        }

        return Refuse(found, service, RefusalReason.NoEndpoints, route.Service.Selector.IsEmpty
            ? $"Service {service} has no selector and no endpoints"
            : $"Service {service}: no Pod matches {string.Join(',', route.Service.Selector.Select(label => $"{label.Key}={label.Value}"))}");
    }

    private static RouteDecision Refuse(IngressMatch.Found? match, NamespacedName? service, RefusalReason reason, string detail) =>
        new(match, service, [], Refusal.Of(reason, detail));

    private static string Nearest(string? nearest) => nearest is null ? "" : $"; nearest is '{nearest}'";

    private static string Ports(ServiceRoute route) => string.Join(", ", route.Ports.Select(port =>
        port.Port.Name.Length == 0 ? $"{port.Port.Port}" : $"{port.Port.Port} ({port.Port.Name})"));
}
