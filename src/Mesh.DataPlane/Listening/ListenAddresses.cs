using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Mesh.DataPlane.Listening;

/// <summary>
/// What an option such as <c>0.0.0.0:8780</c> means: each address of the machine and 127.0.0.1 singly, since on Linux a
/// wildcard listener and one on a ClusterIP exclude each other.
/// </summary>
public static class ListenAddresses
{
    /// <summary>The addresses to listen on for <paramref name="option"/>, given those of the machine.</summary>
    public static ImmutableArray<IPEndPoint> Expand(IPEndPoint option, IEnumerable<IPAddress> machine)
    {
        if (!IsWildcard(option))
        {
            return [option];
        }

        var family = option.AddressFamily;
        var loopback = family == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        return [.. machine.Where(address => address.AddressFamily == family && !address.IsIPv6LinkLocal)
            .Prepend(loopback)
            .Distinct()
            .Select(address => new IPEndPoint(address, option.Port))];
    }

    public static bool IsWildcard(IPEndPoint option) => option.Address.Equals(IPAddress.Any) || option.Address.Equals(IPAddress.IPv6Any);

    /// <summary>
    /// The addresses of the interfaces that are not down, without further loopback ones (ClusterIPs live there). Tunnels such
    /// as WireGuard's never say that they are up: their state is unknown.
    /// </summary>
    public static ImmutableArray<IPAddress> OfThisMachine() =>
        [.. NetworkInterface.GetAllNetworkInterfaces()
            .Where(nic => nic.OperationalStatus is not (OperationalStatus.Down or OperationalStatus.NotPresent) && nic.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(nic => nic.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .Where(address => !IPAddress.IsLoopback(address))];
}
