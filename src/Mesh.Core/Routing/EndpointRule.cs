using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;

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

    /// <param name="own">Mesh's listeners. A wildcard stands for the addresses of <paramref name="machine"/> and 127.0.0.1, not for the rest of 127/8.</param>
    /// <param name="machine">The machine's addresses.</param>
    public EndpointRule(IPRange? serviceCidr, IEnumerable<IPEndPoint> own, IEnumerable<IPAddress> machine)
    {
        _serviceCidr = serviceCidr;
        _own = [.. own.Where(listener => listener.Port != 0)];
        _machine = [.. machine, IPAddress.Loopback, IPAddress.IPv6Loopback];
    }

    /// <summary>Before the options are known: only what is no machine's address.</summary>
    public static EndpointRule Unconfigured { get; } = new(null, [], []);

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
        WhyNot(address) ?? (IsOwn(address, port) ? "is where Mesh itself listens" : null);

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

    /// <summary>The endpoint without the ports that may not be; null when nothing is left of it.</summary>
    public Endpoint? Allowed(Endpoint endpoint)
    {
        if (WhyNot(endpoint.Address) is not null)
        {
            return null;
        }

        foreach (var port in endpoint.Ports)
        {
            if (IsOwn(endpoint.Address, port.Number))
            {
                var rest = endpoint.Ports.RemoveAll(other => IsOwn(endpoint.Address, other.Number));
                return rest.IsEmpty ? null : endpoint with { Ports = rest };
            }
        }

        return endpoint;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
