using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Grains.Services;

/// <summary>The keys of the rows that LoadBalancer Services have: address, protocol and port.</summary>
internal static class LoadBalancerPorts
{
    /// <summary>The ports that a Service shows at its addresses: what it has rows for.</summary>
    public static IEnumerable<ObjectKey> Of(Service service) => service.Ports
        .SelectMany(port => service.LoadBalancerAddressesOf(port).Select(address => KeyAt(address, port)));

    /// <summary>All its ports at this address, whosever they are.</summary>
    public static IEnumerable<ObjectKey> KeysAt(IPAddress address, Service service) => service.Ports.Select(port => KeyAt(address, port));

    public static ObjectKey KeyAt(IPAddress address, ServicePort port) => Kinds.LoadBalancerPort(address, port.Protocol.Word(), port.Port);
}
