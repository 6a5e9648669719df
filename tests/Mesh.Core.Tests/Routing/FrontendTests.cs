using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Core.Tests.Routing;

/// <summary>Where a Service is answered.</summary>
public class FrontendTests
{
    private static readonly IPAddress[] Machine = [IPAddress.Parse("192.0.2.7"), IPAddress.Parse("10.1.1.1"), IPAddress.Parse("2001:db8::7")];

    private readonly RoutingTable _table = new("here");

    [Theory]
    [InlineData("ClusterIP", "127.96.0.9:80")]
    [InlineData("NodePort", "127.96.0.9:80", "127.0.0.1:30080", "192.0.2.7:30080")]
    [InlineData("LoadBalancer", "127.96.0.9:80", "127.0.0.1:30080", "192.0.2.7:30080", "127.98.0.1:80")]
    [Trait("Row", "SVC-L10")]
    public void Each_type_has_the_frontends_of_the_one_before(string type, params string[] expected)
    {
        _table.Apply(Spec(type));
        _table.Apply(Told.Rows(Told.Row("a")));

        var frontends = Frontends();

        Assert.Equal(expected.Order(), frontends.Select(frontend => frontend.Address.ToString()).Order());
        Assert.All(frontends, frontend => Assert.True(frontend.Is(_table.Current.Services[Told.Web].Ports[0].Port)));
    }

    [Fact]
    public void Without_a_usable_endpoint_there_is_none()
    {
        _table.Apply(Spec("LoadBalancer"));
        _table.Apply(Told.Rows(Told.Row("a", ready: false)));

        Assert.Empty(Frontends());
    }

    [Fact]
    public void A_place_that_is_two_frontends_is_one()
    {
        _table.Apply(Spec("LoadBalancer", balancer: "192.0.2.7", port: 30080));
        _table.Apply(Told.Rows(Told.Row("a")));

        Assert.Equal(3, Frontends().Length);
    }

    [Theory]
    [InlineData(""" "ports":[{"port":80,"protocol":"TCP","error":"mesh.internal/PortNotAllocated"}] """, false)]
    [InlineData(""" "ports":[{"port":80,"protocol":"UDP","error":"mesh.internal/PortNotAllocated"},{"port":80,"protocol":"TCP"}] """, true)]
    public void A_port_with_an_error_in_the_status_is_not_answered_at_that_address(string ports, bool isAnswered)
    {
        _table.Apply(Spec("LoadBalancer", ports: "," + ports));
        _table.Apply(Told.Rows(Told.Row("a")));

        Assert.Equal(isAnswered, Frontends().Any(frontend => frontend.Kind == FrontendKind.LoadBalancer));
    }

    [Theory]
    [InlineData("", "127.0.0.1 192.0.2.7 10.1.1.1")]
    [InlineData("10.0.0.0/8", "10.1.1.1")]
    [InlineData("127.0.0.0/8 192.0.2.0/24", "127.0.0.1 192.0.2.7")]
    [InlineData("127.0.0.9/32 192.0.2.7/32 192.0.2.8/32", "192.0.2.7 127.0.0.9")] // of 127/8 one names what no interface does
    public void NodePorts_are_served_on_the_machines_addresses_in_the_blocks(string blocks, string expected)
    {
        var addresses = new NodePortAddresses([.. blocks.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPRange.Parse)]);

        Assert.Equal(expected, string.Join(' ', addresses.Of(Machine)));
    }

    private static RoutingChange.ServiceSpec Spec(string type, string balancer = "127.98.0.1", int port = 80, string ports = "") => new(
        new ObjectDocument(Told.Web, "svc-1", 1, 1, Json.Utf8(
            $$"""
            {"kind":"Service","metadata":{"name":"web","namespace":"default","uid":"svc-1","resourceVersion":"1"},
             "spec":{"type":"{{type}}","clusterIP":"127.96.0.9","selector":{"app":"web"},"ports":[{"name":"http","port":{{port}},"targetPort":8080,"nodePort":30080},
              {"name":"udp","protocol":"UDP","port":{{port}},"nodePort":30080}] },
             "status":{"loadBalancer":{"ingress":[{"ip":"{{balancer}}"{{ports}}}] } } }
            """)),
        null);

    private Frontend[] Frontends() =>
        [.. Frontend.Of(_table.Current.Services[Told.Web], new NodePortAddresses([IPRange.Parse("127.0.0.1/32"), IPRange.Parse("192.0.2.0/24")]).Of(Machine))];
}
