using System.Globalization;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// Which port of a Service a URI means, and what is spoken there. In this order: the port that <c>_name.</c> names, the
/// number in the URI, a port named as a scheme that the caller takes, one whose appProtocol is it, the only port.
/// </summary>
/// <param name="name">Of <c>http://_admin.web</c>; null without one.</param>
/// <param name="number">Of <c>http://web:8080</c>; null without one, or when it is the scheme's own.</param>
/// <param name="schemes">What the caller takes, its favourite first; empty: everything.</param>
internal sealed class PortChoice(string? name, int? number, IReadOnlyList<string> schemes)
{
    private const string Http = "http";

    /// <summary>The number stands in the query's text alone, and what is given back replaces it.</summary>
    public static PortChoice From(ServiceEndpointQuery query, ServiceDiscoveryOptions options)
    {
        var text = query.ToString()!;
        var isUri = Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "any://" + text, UriKind.Absolute, out var uri);
        return new PortChoice(query.EndpointName, isUri && uri is { IsDefaultPort: false, Port: > 0 } ? uri.Port : null, options.ApplyAllowedSchemes(query.IncludedSchemes));
    }

    /// <exception cref="MeshDiscoveryException">No port fits, several do, or the one speaks what the caller does not take.</exception>
    public (KnownPort Port, string Scheme) Of(MeshServiceName service, KnownService known)
    {
        var port = Pick(service, known);
        return (port, SchemeOf(service, port));
    }

    /// <summary>For a target that is no Pod: the caller's favourite, and its number.</summary>
    public (string Scheme, int? Port) OfTarget(MeshServiceName service, KnownService known)
    {
        var scheme = schemes.Count > 0 ? schemes[0] : Http;
        return name is null && known.Ports.Length != 1 ? (scheme, number) : (scheme, Pick(service, known).Number);
    }

    private KnownPort Pick(MeshServiceName service, KnownService known)
    {
        if (name is not null)
        {
            return Named(known, name) ?? throw None(service, known, $"no port {name}");
        }

        if (number is { } wanted)
        {
            return known.Ports.FirstOrDefault(port => port.Number == wanted)
                ?? throw None(service, known, "no port " + wanted.ToString(CultureInfo.InvariantCulture));
        }

        foreach (var scheme in schemes)
        {
            if (Named(known, scheme) is { } named)
            {
                return named;
            }
        }

        foreach (var scheme in schemes)
        {
            if (known.Ports.FirstOrDefault(port => port.AppProtocol == scheme) is { } speaking)
            {
                return speaking;
            }
        }

        return known.Ports.Length == 1
            ? known.Ports[0]
            : throw None(service, known, known.Ports.IsEmpty ? "no TCP port" : $"several ports, and the address names none (as in {Http}://_{Example(known)}.{service.Name})");
    }

    /// <summary>
    /// What the port speaks. A Service that says it is believed: nobody who wants TLS is brought to a plain port. One that
    /// says nothing speaks http, or what the caller asks for by no other scheme.
    /// </summary>
    private string SchemeOf(MeshServiceName service, KnownPort port)
    {
        if (schemes.Count == 0)
        {
            return port.Scheme ?? Http;
        }

        if (port.Scheme is { } said)
        {
            return schemes.Contains(said)
                ? said
                : throw new MeshDiscoveryException(
                    service.ToString(), $"Service {service}: port {port} speaks {said}, and the address asks for {string.Join(" or ", schemes)}");
        }

        return schemes.FirstOrDefault(scheme => scheme == port.Name || scheme == port.AppProtocol) ?? (schemes.Contains(Http) ? Http : schemes[0]);
    }

    private static KnownPort? Named(KnownService known, string name) => known.Ports.FirstOrDefault(port => port.Name == name);

    private static string Example(KnownService known) => known.Ports.Select(port => port.Name).FirstOrDefault(port => port.Length > 0) ?? "name";

    private static MeshDiscoveryException None(MeshServiceName service, KnownService known, string what) =>
        new(service.ToString(), $"Service {service} has {what}; it has {(known.Ports.IsEmpty ? "none" : string.Join(", ", known.Ports))}");
}
