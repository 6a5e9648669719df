using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Core.Tests.Routing;

/// <summary>Whoever is first at a place has it: the node with a Service's NodePort, or an endpoint.</summary>
public class ClaimedPlaceTests
{
    private static readonly IPEndPoint Place = IPEndPoint.Parse("127.0.0.1:30080");

    private readonly RoutingTable _table = new("here");

    public ClaimedPlaceTests() => _table.Apply(Told.Spec());

    [Fact]
    public void An_endpoint_that_comes_to_a_claimed_place_is_not_used_until_the_node_leaves_it()
    {
        Assert.Null(_table.Claim(Place));
        _table.Apply(Told.Rows(At("circle", "127.0.0.1", 30080), At("fine", "127.0.0.2", 30080)));

        Assert.Equal(["fine"], Used());
        Assert.Equal([new RefusedEndpoint(new EndpointPlace(Told.Web, Named("circle")), Place, IsRefused: true)], _table.TakeRefused());
        Assert.Empty(_table.TakeRefused());

        _table.TakeChanged();
        _table.Release([Place]);
        Assert.Equal(["circle", "fine"], Used());
        Assert.Equal([Told.Web], _table.TakeChanged());
        Assert.False(Assert.Single(_table.TakeRefused()).IsRefused);
    }

    [Theory]
    [InlineData("127.0.0.1", true, true)]
    [InlineData("127.0.0.1", false, true)] // not ready yet, and there all the same
    [InlineData("::ffff:127.0.0.1", true, true)]
    [InlineData("127.0.0.2", true, false)]
    public void A_place_where_an_endpoint_is_already_cannot_be_claimed(string address, bool ready, bool isThere)
    {
        _table.Apply(Told.Rows(At("first", address, 30080) with { Ready = ready, Serving = ready }));

        var endpoint = isThere ? new EndpointPlace(Told.Web, Named("first")) : null;
        Assert.Equal(endpoint, _table.EndpointAt(Place));
        Assert.Equal(endpoint, _table.Claim(Place));
        Assert.Equal(ready ? ["first"] : [], Used());
        Assert.Equal(!isThere, _table.Claimed.Contains(Place.Address, Place.Port));
    }

    [Fact]
    public void An_endpoint_of_another_protocol_shares_the_number()
    {
        _table.Apply(Told.Rows(At("udp", "127.0.0.1", 30080) with { Ports = [new EndpointPort("http", TransportProtocol.Udp, 30080)] }));

        Assert.Null(_table.Claim(Place));
        Assert.Equal(["udp"], _table.Current.Services[Told.Web].Endpoints.Select(endpoint => endpoint.Pod.Name));
    }

    [Fact]
    public void What_ends_or_moves_leaves_no_trace()
    {
        _table.Apply(Told.Rows(At("a", "127.0.0.1", 30080)));
        _table.Apply(Told.Rows(At("a", "127.0.0.1", 30081, spec: 2)));
        Assert.Null(_table.Claim(Place));

        _table.Apply(Told.Rows(At("a", "127.0.0.1", 30080, spec: 3)));
        Assert.True(Assert.Single(_table.TakeRefused()).IsRefused);
        _table.Apply(Told.Full(isSynced: true));
        Assert.False(Assert.Single(_table.TakeRefused()).IsRefused);

        _table.Apply(new RoutingChange.ServiceRemoved(Told.Web, "svc-1"));
        _table.Release([Place]);
        Assert.Empty(_table.TakeRefused());
        Assert.False(_table.Claimed.Contains(Place.Address, Place.Port));
    }

    [Fact]
    public void Places_that_are_left_together_are_published_once()
    {
        IPEndPoint[] places = [Place, new(Place.Address, 30081), new(Place.Address, 30082)];
        Assert.All(places, place => Assert.Null(_table.Claim(place)));
        _table.Apply(Told.Rows([.. places.Select(place => At($"p-{place.Port}", "127.0.0.1", place.Port))]));
        var before = _table.Current.Version;

        _table.Release(places);

        Assert.Equal(3, Used().Count());
        Assert.Equal(before + 1, _table.Current.Version);
    }

    [Fact]
    public void Claims_outlive_a_change_of_options()
    {
        _table.Claim(Place);
        _table.Apply(new EndpointRule(null, [], []));
        _table.Apply(Told.Rows(At("circle", "127.0.0.1", 30080)));

        Assert.Empty(Used());
    }

    private static Endpoint At(string pod, string address, int port, long spec = 1) => Told.Row(pod, spec: spec) with
    {
        Address = IPAddress.Parse(address),
        Ports = [new EndpointPort("http", TransportProtocol.Tcp, port)],
    };

    private static NamespacedName Named(string pod) => NamespacedName.Of("default", pod);

    private IEnumerable<string> Used() => _table.Current.Services[Told.Web].Ports[0].Usable.Select(target => target.Endpoint.Pod.Name);
}
