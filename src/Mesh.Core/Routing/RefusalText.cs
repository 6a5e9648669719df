using System.Diagnostics;
using System.Globalization;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>Says in one sentence why something is not forwarded: the only place where such sentences are made.</summary>
public static class RefusalText
{
    public const string NotSynced = "this machine has not heard all routes from the control plane yet";

    public const string NoPath = "the request target has no path";

    /// <summary>What a client sent is repeated only so far.</summary>
    private const int MaxQuoted = 100;

    private const int MaxHosts = 5;

    /// <summary>A miss must stay cheap whoever provokes it.</summary>
    private const int MaxSearched = 2_000;

    public static string Of(RequestPathProblem problem) => problem switch
    {
        RequestPathProblem.DotSegment => "the path has a segment '.' or '..', plain or percent-encoded",
        RequestPathProblem.BadPercentEncoding => "the path has a '%' that two hexadecimal digits do not follow",
        RequestPathProblem.ControlOrNonAscii => "the path has a control or non-ASCII character that is not percent-encoded, or NUL",
        _ => throw new UnreachableException(),
    };

    public static string Of(IngressMatch.NoHost miss) =>
        $"no rule for host {Quote(miss.Host)}" + (miss.Nearest is null ? "" : $"; nearest {miss.Nearest}");

    /// <summary>What follows the sentence of a host without a rule where the client may know which hosts there are.</summary>
    public static string KnownHosts(IngressTable table)
    {
        var more = table.HostNames.Count - MaxHosts;
        return table.HostNames.Count == 0
            ? "; no Ingress names a host"
            : $"; there are rules for {string.Join(", ", table.HostNames.Take(MaxHosts))}" + (more > 0 ? $" and {more} more" : "");
    }

    public static string Of(IngressMatch.NoPath miss) =>
        $"no rule for path {Quote(miss.Path)} of host {Quote(miss.Host)}" + (miss.Nearest is null ? "" : $"; nearest {miss.Nearest}");

    public static string ResourceBackend(IngressMatch.Found found) =>
        $"Ingress {found.Ingress}: the backend of {found.Route} is not a Service";

    /// <param name="service">Which it would be forwarded to now.</param>
    public static string Loop(NamespacedName service) =>
        $"this request has passed this gateway before: what it was forwarded to has sent it back, for Service {service} now";

    public static string NoService(NamespacedName service) => $"Service {service} does not exist";

    /// <summary>To one who asked for it by name: what was probably meant.</summary>
    public static string NoService(NamespacedName service, RoutingSnapshot routes)
    {
        if (!routes.Namespaces.Contains(service.Namespace))
        {
            var like = Likeness.Nearest(service.Namespace, routes.Namespaces);
            return $"Namespace {service.Namespace} does not exist" + (like is null ? "" : $"; nearest {like}");
        }

        var known = routes.Services.Keys.Take(MaxSearched);
        var elsewhere = known.FirstOrDefault(other => other.Name == service.Name);
        var nearest = Likeness.Nearest(service.Name, known.Where(other => other.Namespace == service.Namespace).Select(other => other.Name));
        return NoService(service) + (elsewhere is not null ? $"; there is {elsewhere}" : nearest is not null ? $"; nearest {nearest}" : "");
    }

    /// <summary>Nothing is heard of its endpoints, whatever may be known of the Service.</summary>
    public static string NotKnown(NamespacedName service) => $"Service {service}: its endpoints are not known yet";

    public static string NoPort(ServiceRoute route, IngressBackend backend)
    {
        var wanted = backend.PortName ?? backend.PortNumber.ToString(CultureInfo.InvariantCulture);
        var has = string.Join(", ", route.Ports.Select(port => Describe(port.Port)));
        return $"Service {route.Service.Name} has no port {wanted}; it has {(has.Length == 0 ? "none" : has)}";
    }

    /// <param name="reason">As <see cref="RequestRouting.ReasonFor"/> found it.</param>
    public static string Of(RefusalReason reason, ServiceRoute route, PortRoute port) => reason switch
    {
        RefusalReason.NotSynced => NotKnown(route.Service.Name),
        RefusalReason.NoReadyEndpoints => NotReady(route, port.Port),
        RefusalReason.NoEndpoints => Missing(route, port.Port),
        _ => throw new UnreachableException(),
    };

    private static string NotReady(ServiceRoute route, ServicePort port)
    {
        var pods = route.Endpoints.Where(endpoint => endpoint.Has(port)).ToArray();
        return $"Service {route.Service.Name}: {pods.Count(endpoint => endpoint.Ready)} of {Pods(pods.Length)} ready";
    }

    private static string Missing(ServiceRoute route, ServicePort port)
    {
        var service = route.Service;
        if (service.Type == ServiceType.ExternalName)
        {
            return $"Service {service.Name} is an ExternalName: it is resolved by DNS and not forwarded to";
        }

        if (!route.Endpoints.IsEmpty)
        {
            return $"Service {service.Name}: none of {Pods(route.Endpoints.Length)} has the target port of {Describe(port)}";
        }

        return service.Selector.IsEmpty
            ? $"Service {service.Name} has no selector and no endpoints"
            : $"Service {service.Name}: no Pod matches {string.Join(',', service.Selector.Select(pair => $"{pair.Key}={pair.Value}"))}";
    }

    private static string Pods(int count) => count == 1 ? "1 Pod" : $"{count} Pods";

    private static string Describe(ServicePort port) => port.Name.Length == 0 ? $"{port.Port}" : $"{port.Port} ({port.Name})";

    private static string Quote(string text) => text.Length switch
    {
        0 => "''",
        <= MaxQuoted => text,
        _ => text[..MaxQuoted] + "…",
    };
}
