using System.Net;
using Mesh.Agent.Registrations;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>Which addresses a registration may name while the machine's interfaces come and go.</summary>
public sealed class PodAddressesTests
{
    [Fact]
    public void An_interface_that_appeared_later_has_Meshs_wildcard_ports_too()
    {
        var address = IPAddress.Parse("192.0.2.7");
        List<IPAddress> machine = [];
        var addresses = new PodAddresses(() => machine);
        addresses.Configure(AgentUnderTest.Options, machine); // its Ingress listens on 0.0.0.0:8080
        Assert.Contains("not an address of this machine", Take(addresses, 8080), StringComparison.Ordinal);

        machine.Add(address);

        Assert.Equal("ports: 192.0.2.7:8080 is one of Mesh's own ports.", Take(addresses, 8080));
        Assert.Null(Take(addresses, 8081));

        string? Take(PodAddresses from, int port) =>
            from.Take(address.ToString(), [new ContainerPort(null, port, TransportProtocol.Tcp)], from.Look(address.ToString()), null, out _)?.Message;
    }

    [Fact]
    public void Where_the_node_answers_a_Service_nobody_registers_anew_and_who_was_there_stays()
    {
        var addresses = new PodAddresses(() => []);
        addresses.Configure(AgentUnderTest.Options, []);
        addresses.Avoid(ClaimedPlaces.None.Add(IPEndPoint.Parse("127.0.0.1:30080")));

        Assert.StartsWith("ports: on 127.0.0.1:30080 Mesh itself answers a Service", Take(30080, TransportProtocol.Tcp), StringComparison.Ordinal);
        Assert.Null(Take(30080, TransportProtocol.Udp));
        Assert.Null(addresses.RefusePorts(IPAddress.Loopback, [new ContainerPort(null, 30080, TransportProtocol.Tcp)])); // of a stream that comes back

        addresses.Configure(AgentUnderTest.Options, []);
        Assert.NotNull(Take(30080, TransportProtocol.Tcp));
        addresses.Avoid(ClaimedPlaces.None);
        Assert.Null(Take(30080, TransportProtocol.Tcp));

        string? Take(int port, TransportProtocol protocol) => addresses.Take("host", [new ContainerPort(null, port, protocol)], [], null, out _)?.Message;
    }
}
