using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>One address and port where one port of a Service is answered.</summary>
public sealed record Frontend(IPEndPoint Address, FrontendKind Kind)
{
    /// <summary>Whether it is this port of the Service that is answered there.</summary>
    public bool Is(ServicePort port) =>
        port.Protocol == TransportProtocol.Tcp && Address.Port == (Kind == FrontendKind.NodePort ? port.NodePort : port.Port);

    /// <summary>
    /// Where a Service is answered over TCP now: nowhere without a usable endpoint (REJECT of kube-proxy), on its ClusterIPs,
    /// on its NodePorts at each of this machine's addresses that serve them, and on the addresses of its load balancer.
    /// </summary>
    /// <param name="nodePortAddresses">Of this machine.</param>
    public static ImmutableArray<Frontend> Of(ServiceRoute route, ImmutableArray<IPAddress> nodePortAddresses)
    {
        var service = route.Service;
        if (service.IsHeadless || service.Type == ServiceType.ExternalName)
        {
            return [];
        }

        var frontends = ImmutableArray.CreateBuilder<Frontend>();
        var seen = new HashSet<IPEndPoint>();
        foreach (var port in route.Ports)
        {
            if (port.Port.Protocol != TransportProtocol.Tcp || port.Usable.IsEmpty)
            {
                continue;
            }

            Add(service.ClusterIPs, port.Port.Port, FrontendKind.ClusterIP);
            Add(service.LoadBalancerAddressesOf(port.Port), port.Port.Port, FrontendKind.LoadBalancer);
            if (port.Port.NodePort != 0)
            {
                Add(nodePortAddresses, port.Port.NodePort, FrontendKind.NodePort);
            }

            void Add(ImmutableArray<IPAddress> addresses, int number, FrontendKind kind)
            {
                foreach (var address in addresses)
                {
                    var place = new IPEndPoint(address, number);
                    if (seen.Add(place))
                    {
                        frontends.Add(new Frontend(place, kind));
                    }
                }
            }
        }

        return frontends.DrainToImmutable();
    }
}

/// <summary>What of a Service a client connected to.</summary>
public enum FrontendKind
{
    ClusterIP,
    NodePort,
    LoadBalancer,
}
