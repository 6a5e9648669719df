using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Core.Tests.Routing;

/// <summary>No endpoint is where Mesh listens, whoever names it: a request there would go in a circle.</summary>
public class EndpointRuleTests
{
    private static readonly EndpointRule Rule = new(
        IPRange.Parse("127.96.0.0/16"),
        [IPEndPoint.Parse("0.0.0.0:8780"), IPEndPoint.Parse("127.0.0.1:6480"), IPEndPoint.Parse("127.0.0.1:0"), IPEndPoint.Parse("[::1]:6443")],
        [IPAddress.Parse("192.0.2.7")]);

    private readonly RoutingTable _table = new("here");

    [Theory]
    [InlineData("127.0.0.1", 8780, true)]
    [InlineData("192.0.2.7", 8780, true)]
    [InlineData("::1", 6443, true)]
    [InlineData("127.0.0.1", 6480, true)]
    [InlineData("::ffff:127.0.0.1", 6480, true)]
    [InlineData("::ffff:192.0.2.7", 8780, true)]
    [InlineData("127.96.0.77", 80, true)]
    [InlineData("::ffff:127.96.0.77", 80, true)]
    [InlineData("0.0.0.0", 80, true)]
    [InlineData("0.1.2.3", 80, true)]
    [InlineData("::", 80, true)]
    [InlineData("224.0.0.1", 80, true)]
    [InlineData("239.255.255.255", 80, true)]
    [InlineData("240.0.0.1", 80, true)]
    [InlineData("255.255.255.255", 80, true)]
    [InlineData("169.254.169.254", 80, true)]
    [InlineData("fe80::1", 80, true)]
    [InlineData("ff02::1", 80, true)]
    [InlineData("127.0.0.1", 8781, false)]
    [InlineData("127.80.0.1", 8780, false)] // a wildcard of Mesh does not listen on the rest of 127/8
    [InlineData("192.0.2.8", 8780, false)]
    [InlineData("127.0.0.2", 6480, false)]
    [InlineData("127.97.0.1", 80, false)]
    [InlineData("10.0.0.1", 80, false)]
    [InlineData("2001:db8::1", 6443, false)]
    public void What_may_not_be_an_endpoint_has_a_reason(string address, int port, bool isRefused) =>
        Assert.Equal(isRefused, Rule.WhyNot(IPAddress.Parse(address), port) is not null);

    [Theory]
    [InlineData("127.0.0.1", 6480, true)]
    [InlineData("192.0.2.7", 8780, true)]
    [InlineData("192.0.2.8", 8780, true)] // not the machine's yet: a wildcard follows the machine
    [InlineData("192.0.2.8", 6480, false)]
    [InlineData("127.96.0.77", 8780, false)]
    public void Where_Mesh_listens_or_will_listen_no_Service_is_answered(string address, int port, bool isOwn) =>
        Assert.Equal(isOwn, Rule.WillBeOwn(IPAddress.Parse(address), port));

    [Fact]
    public void A_node_routes_to_none_of_its_own_listeners_whoever_published_them()
    {
        _table.Apply(Rule);
        _table.Apply(Told.Spec());
        _table.Apply(Told.Rows(
            At("gateway", "127.0.0.1", 8780), At("circle", "127.96.0.9", 80), At("nowhere", "0.0.0.0", 80), At("fine", "127.0.0.1", 8080)));

        Assert.Equal(["fine"], Used());
        Assert.Equal(["fine"], _table.Current.Services[Told.Web].Endpoints.Select(endpoint => endpoint.Pod.Name)); // DNS answers by these
    }

    [Fact]
    public void Only_the_port_that_may_not_be_is_left_out()
    {
        var ports = new[] { new EndpointPort("http", TransportProtocol.Tcp, 8080), new EndpointPort("admin", TransportProtocol.Tcp, 8780) };

        var allowed = Rule.Allowed(At("both", "127.0.0.1", 1) with { Ports = [.. ports] });

        Assert.Equal([ports[0]], allowed!.Ports);
    }

    [Fact]
    public void Listeners_that_move_give_back_what_they_held_and_take_what_they_hold()
    {
        _table.Apply(Told.Spec());
        _table.Apply(Told.Rows(At("old", "127.0.0.1", 8780), At("new", "127.0.0.1", 8781)));
        _table.Apply(Rule);
        Assert.Equal(["new"], Used());
        _table.TakeChanged();

        _table.Apply(new EndpointRule(null, [IPEndPoint.Parse("127.0.0.1:8781")], []));

        Assert.Equal(["old"], Used());
        Assert.Equal([Told.Web], _table.TakeChanged());
    }

    private IEnumerable<string> Used() => _table.Current.Services[Told.Web].Ports[0].Usable.Select(target => target.Endpoint.Pod.Name);

    private static Endpoint At(string pod, string address, int port) => Told.Row(pod) with
    {
        Address = IPAddress.Parse(address),
        Ports = [new EndpointPort("http", TransportProtocol.Tcp, port)],
    };
}
