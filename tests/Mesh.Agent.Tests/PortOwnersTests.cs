using System.Net;
using System.Net.Sockets;
using Mesh.Agent.Http;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>Who registers what: a user of --register-uids only what that user's own processes listen on.</summary>
[Trait("Row", "R-S5")]
public sealed class PortOwnersTests
{
    private const uint Another = 4_000_000_000; // nobody's

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", false, "127.0.0.1", true)]
    [InlineData("127.0.0.1", false, "127.231.7.9", false)] // where nothing else listens: numbers of ports are the kernel's choice
    [InlineData("0.0.0.0", false, "127.0.0.2", true)]
    [InlineData("::", true, "127.0.0.2", true)]
    [InlineData("::ffff:127.0.0.1", true, "127.0.0.1", true)]
    [InlineData("::1", false, "::1", true)]
    public void Who_listens_is_known_of_each_address_that_it_answers_at(string bound, bool isBoth, string asked, bool isThere)
    {
        foreach (var isTcp in new[] { true, false })
        {
            var address = IPAddress.Parse(bound);
            using var socket = isTcp
                ? new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
                : new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            if (isBoth)
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(address, 0));
            if (isTcp)
            {
                socket.Listen();
            }

            var port = new ContainerPort(null, ((IPEndPoint)socket.LocalEndPoint!).Port, isTcp ? TransportProtocol.Tcp : TransportProtocol.Udp);
            uint[] expected = isThere ? [PeerUid.Own] : [];
            Assert.Equal(expected, PortOwners.Read().At(IPAddress.Parse(asked), port));
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Ports_of_others_and_of_nobody_are_refused_with_what_to_do()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        var rules = new PeerRules(agent.Agent);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var taken = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var bound = new TcpListener(IPAddress.Parse("127.0.0.7"), 0);
        bound.Start();
        var elsewhere = ((IPEndPoint)bound.LocalEndpoint).Port;
        if (PeerUid.Own != 0)
        {
            Assert.Null(rules.RefusePorts(0, Wanted("host", taken)));
        }

        Assert.Null(rules.RefusePorts(PeerUid.Own, Wanted("host", 1)));
        Assert.Null(rules.RefusePorts(Another, Wanted("host")));
        Assert.Equal(
            (403, $"ports: on 127.0.0.1:{taken} (TCP) a process of uid {PeerUid.Own} listens; processes of uid {Another} register the ports that they listen on themselves."),
            Refused(rules.RefusePorts(Another, Wanted("host", taken))));
        Assert.Equal(
            (403, $"ports: nobody listens on 127.0.0.7:1 (TCP) yet; processes of uid {Another} register the ports that they listen on, so listen first."),
            Refused(rules.RefusePorts(Another, Wanted("127.0.0.7", 1))));
        Assert.Contains($"on 127.0.0.7:{elsewhere}", Refused(rules.RefusePorts(Another, Wanted("127.0.0.7", elsewhere))).Message, StringComparison.Ordinal);
        Assert.Null(rules.RefusePorts(Another, Wanted("allocate", elsewhere))); // is told its address before it can listen there

        // One that has an address is asked about that, and about nothing that it has registered before.
        var living = new PodDocument.Facts(NamespacedName.Of("default", "web"), "u1", "n1", IPAddress.Parse("127.0.0.7"), default, Wanted("allocate", 1));
        Assert.Contains($"on 127.0.0.7:{elsewhere}", Refused(rules.RefusePorts(Another, Wanted("allocate", elsewhere), living)).Message, StringComparison.Ordinal);
        Assert.Null(rules.RefusePorts(Another, Wanted("allocate", 1), living));

        using var every = new TcpListener(IPAddress.Any, 0);
        every.Start();
        Assert.Contains("of every address (TCP) a process", Refused(rules.RefusePorts(Another, Wanted("allocate", ((IPEndPoint)every.LocalEndpoint).Port))).Message, StringComparison.Ordinal);
    }

    private static (int Code, string Message) Refused(Refusal? refusal) => (refusal!.Code, refusal.Message);

    private static Registration Wanted(string address, params int[] ports) =>
        new() { Address = address, Ports = [.. ports.Select(port => new ContainerPort(null, port, TransportProtocol.Tcp))] };
}
