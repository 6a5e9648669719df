using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Mesh.Agent.Probes;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>No probe goes where no Pod may be: on Mesh's own listener it would find Mesh, and start what goes in a circle.</summary>
public sealed class ProbeRuleTests
{
    public static TheoryData<string> Kinds => ["ports", "tcp", "http"];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Kinds))]
    public async Task A_port_of_Mesh_is_not_tried_and_the_Pod_is_not_ready(string kind)
    {
        var stop = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var own = (IPEndPoint)listener.LocalEndpoint;
        var runner = new ProbeRunner(TimeProvider.System) { Rule = new EndpointRule(null, [own], []) };

        var failure = await runner.TryAsync(Spec(kind, own.Address, own.Port), stop);

        Assert.Equal($"{own} is where Mesh itself listens", (failure as ProbeOutcome.Failure)?.Why);
        Assert.False(listener.Pending());
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Kinds))]
    public async Task Where_the_node_answers_a_Service_nobody_is_probed(string kind)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var place = (IPEndPoint)listener.LocalEndpoint;
        var runner = new ProbeRunner(TimeProvider.System) { Rule = EndpointRule.Unconfigured.With(ClaimedPlaces.None.Add(place)) };

        var failure = await runner.TryAsync(Spec(kind, place.Address, place.Port), TestContext.Current.CancellationToken);

        Assert.Equal($"{place} is where Mesh itself answers a Service", (failure as ProbeOutcome.Failure)?.Why);
        Assert.False(listener.Pending());
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Kinds))]
    public async Task An_address_of_the_Service_CIDR_is_not_tried(string kind)
    {
        var runner = new ProbeRunner(TimeProvider.System) { Rule = new EndpointRule(IPRange.Parse("127.96.0.0/16"), [], []) };

        var failure = await runner.TryAsync(Spec(kind, IPAddress.Parse("127.96.0.9"), 80), TestContext.Current.CancellationToken);

        Assert.StartsWith("127.96.0.9 may not be of the Service CIDR 127.96.0.0/16", (failure as ProbeOutcome.Failure)?.Why, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_the_node_listens_is_known_also_while_options_come_and_waits_for_no_look_at_the_machine()
    {
        var (place, looks) = (IPEndPoint.Parse("127.0.0.1:30080"), 0);
        AgentUnderTest? test = null;
        test = await AgentUnderTest.StartAsync(TestContext.Current.CancellationToken, machine: () =>
        {
            if (looks++ > 0)
            {
                var loop = new Thread(() => test!.Agent.Avoid(ClaimedPlaces.None.Add(place)));
                loop.Start();
                Assert.True(loop.Join(TimeSpan.FromSeconds(20)), "the loop that owns the snapshot waits for the look");
            }

            return [];
        });
        await using (test)
        {
            await Task.Run(() => test.Agent.Configure(AgentUnderTest.Options), TestContext.Current.CancellationToken);

            Assert.Equal(2, looks);
            Assert.True(test.Agent.ProbeRule.IsClaimed(place.Address, place.Port));
        }
    }

    private static ProbeSpec Spec(string kind, IPAddress address, int port)
    {
        ImmutableArray<ContainerPort> ports = [new ContainerPort("main", port, TransportProtocol.Tcp)];
        var accept = ProbeSpec.PortsAccept(address, ports, TimeSpan.FromSeconds(1));
        return kind switch
        {
            "tcp" => accept with { Action = new ProbeAction.TcpSocket(null, new PortReference(0, "main")), Ports = ports },
            "http" => accept with { Action = new ProbeAction.HttpGet("http", null, new PortReference(port, null), "/", []), Ports = [] },
            _ => accept,
        };
    }
}
