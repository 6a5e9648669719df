using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>
/// Where no endpoint may be: on a listener of Mesh itself, in the Service CIDR, or at an address that is no machine's. What
/// is sent there comes back to the proxy that sends it, and goes around until no descriptor is left.
/// </summary>
public sealed class EndpointRule
{
    private readonly IPRange? _serviceCidr;
    private readonly ImmutableArray<IPEndPoint> _own;
    private readonly ImmutableHashSet<IPAddress> _machine;
    private readonly ClaimedPlaces _claimed;

    /// <param name="own">Mesh's listeners. A wildcard stands for the addresses of <paramref name="machine"/> and 127.0.0.1, not for the rest of 127/8.</param>
    /// <param name="machine">The machine's addresses.</param>
    public EndpointRule(IPRange? serviceCidr, IEnumerable<IPEndPoint> own, IEnumerable<IPAddress> machine)
    {
        _serviceCidr = serviceCidr;
        _own = [.. own.Where(listener => listener.Port != 0)];
        _machine = [.. machine, IPAddress.Loopback, IPAddress.IPv6Loopback];
        _claimed = ClaimedPlaces.None;
    }

    private EndpointRule(EndpointRule rule, ClaimedPlaces claimed)
    {
        _serviceCidr = rule._serviceCidr;
        _own = rule._own;
        _machine = rule._machine;
        _claimed = claimed;
    }

    /// <summary>Before the options are known: only what is no machine's address.</summary>
    public static EndpointRule Unconfigured { get; } = new(null, [], []);

    /// <summary>The same rule while the node listens on these NodePorts and LoadBalancer ports.</summary>
    public EndpointRule With(ClaimedPlaces claimed) => new(this, claimed);

    /// <summary>Why the address is no machine's, in words that stand behind it; null when it may be one's.</summary>
    public static string? WhyNoMachine(IPAddress address)
    {
        var plain = Plain(address);
        Span<byte> bytes = stackalloc byte[16];
        return plain.TryWriteBytes(bytes, out var length) && length == 4
            ? bytes[..4] switch
            {
                [0, ..] => "may not be unspecified (0.0.0.0/8)",
                [169, 254, ..] => "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
                [>= 240, ..] => "may not be reserved or the broadcast address (240.0.0.0/4)",
                [>= 224, ..] => "may not be a multicast address (224.0.0.0/4, ff00::/8)",
                _ => null,
            }
            : plain.Equals(IPAddress.IPv6Any) ? "may not be unspecified (::)"
            : plain.IsIPv6LinkLocal ? "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
            : plain.IsIPv6Multicast ? "may not be a multicast address (224.0.0.0/4, ff00::/8)"
            : null;
    }

    /// <summary>Why no endpoint may have the address, whatever its port.</summary>
    public string? WhyNot(IPAddress address) =>
        WhyNoMachine(address)
        ?? (_serviceCidr?.Contains(Plain(address)) == true ? $"may not be of the Service CIDR {_serviceCidr}, where Services listen" : null);

    /// <summary>Why no endpoint may be there.</summary>
    public string? WhyNot(IPAddress address, int port) =>
        WhyNot(address)
        ?? (IsOwn(address, port) ? "is where Mesh itself listens" : null)
        ?? (IsClaimed(address, port) ? "is where Mesh itself answers a Service" : null);

    /// <summary>Whether the node listens there for a Service: a TCP port, unlike those of <see cref="IsOwn"/>.</summary>
    public bool IsClaimed(IPAddress address, int port) => _claimed.Contains(Plain(address), port);

    public bool IsOwn(IPAddress address, int port)
    {
        foreach (var own in _own)
        {
            if (own.Port == port && (own.Address.Equals(Plain(address)) || (IsWildcard(own.Address) && _machine.Contains(Plain(address)))))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether the place of a Service is one of Mesh's listeners, or will be one: an address of a load balancer may come to the
    /// machine later, and what listens on a wildcard then listens there too. Not for ClusterIPs, which no wildcard stands for.
    /// </summary>
    public bool WillBeOwn(IPAddress address, int port) =>
        IsOwn(address, port)
        || (!IPAddress.IsLoopback(Plain(address)) && _own.Any(own => own.Port == port && IsWildcard(own.Address)));

    /// <summary>The endpoint without the ports that may not be; null when nothing is left of it.</summary>
    public Endpoint? Allowed(Endpoint endpoint)
    {
        if (WhyNot(endpoint.Address) is not null)
        {
            return null;
        }

        foreach (var port in endpoint.Ports)
        {
            if (IsOurs(endpoint, port))
            {
                var rest = endpoint.Ports.RemoveAll(other => IsOurs(endpoint, other));
                return rest.IsEmpty ? null : endpoint with { Ports = rest };
            }
        }

        return endpoint;
    }

    /// <summary>The endpoint's ports on which the node listens for a Service; empty, and made of nothing, for nearly every endpoint.</summary>
    internal ImmutableArray<IPEndPoint> ClaimedOf(Endpoint endpoint)
    {
        ImmutableArray<IPEndPoint> places = [];
        foreach (var port in endpoint.Ports)
        {
            if (IsClaimed(endpoint, port))
            {
                places = places.Add(new IPEndPoint(Plain(endpoint.Address), port.Number));
            }
        }

        return places;
    }

    private bool IsOurs(Endpoint endpoint, EndpointPort port) => IsOwn(endpoint.Address, port.Number) || IsClaimed(endpoint, port);

    private bool IsClaimed(Endpoint endpoint, EndpointPort port) =>
        port.Protocol == TransportProtocol.Tcp && IsClaimed(endpoint.Address, port.Number);

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
