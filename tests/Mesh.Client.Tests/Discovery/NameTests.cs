using Mesh.ServiceDiscovery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests.Discovery;

/// <summary>Which names are asked for at the node, and which are left to others.</summary>
public sealed class NameTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("web", "own/web")]
    [InlineData("my-api-service", "own/my-api-service")]
    [InlineData("WEB.Shop", "shop/web")]
    [InlineData("web.shop", "shop/web")]
    [InlineData("web.shop.svc", "shop/web")]
    [InlineData("web.shop.svc.cluster.local", "shop/web")]
    [InlineData("127.0.0.1", null)]
    [InlineData("[::1]", null)]
    [InlineData("localhost", null)]
    [InlineData("web.localhost", null)]
    [InlineData("example.com", null)]
    [InlineData("printer.local", null)]
    [InlineData("web.int", null)]
    [InlineData("web.int.svc", "int/web")]
    [InlineData("web.local.svc.cluster.local", "local/web")]
    [InlineData("api.example.com", null)]
    [InlineData("a.b.c", null)]
    [InlineData("web.shop.", null)]
    [InlineData("web..shop", null)]
    [InlineData("-web", null)]
    [InlineData("we_b", null)]
    [InlineData("", null)]
    [Trait("Row", "ECO-3.5.4")]
    public void Only_a_name_that_may_be_a_Service_is_asked_for(string host, string? service)
    {
        Assert.Equal(service is not null, MeshServiceName.TryParse(host, "own", out var name));
        Assert.Equal(service, name?.ToString());
    }

    [Theory]
    [InlineData("web.shop.svc.cluster.local", "web.shop.svc.cluster.local", true)]
    [InlineData("web.shop.svc.elsewhere.example", "web.shop.svc.cluster.local", false)]
    [InlineData("web.shop", "web.shop.svc.cluster.local", true)]
    [Trait("Row", "ECO-3.5.4")]
    public void A_full_name_of_another_cluster_is_another_name(string asked, string host, bool same)
    {
        Assert.True(MeshServiceName.TryParse(asked, "own", out var name));
        Assert.Equal(same, name.IsOf(host));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Row", "ECO-3.5.4")]
    public async Task What_the_configuration_names_is_the_configurations_in_either_order(bool meshFirst)
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Told.Service("default/web", DiscoveryUnderTest.Ports, new Testing.Routing.ToldPod("web-1", "10.0.0.1", ("http", 8081)));
        await using var discovery = DiscoveryUnderTest.Of(
            node,
            compose: services => (meshFirst ? services.AddMeshServiceDiscovery().AddServiceDiscovery() : services.AddServiceDiscovery().AddMeshServiceDiscovery()).AddLogging(),
            configuration: [("Services:web:http:0", "http://10.9.9.9:1234")]);

        Assert.Null(discovery.Provider("http://web"));
        Assert.Equal(["http://10.9.9.9:1234/"], await discovery.AddressesAsync("http://web", Stop));
        Assert.Equal(["http://10.0.0.1:8081/"], await discovery.AddressesAsync("http://web.default", Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_Mesh_that_is_switched_off_takes_no_name()
    {
        await using var node = NodeUnderTest.Away();
        await using var discovery = DiscoveryUnderTest.Of(node, configure: options => options.Enabled = false);

        Assert.Null(discovery.Provider("http://web"));
        Assert.Equal(["web:80"], await discovery.AddressesAsync("http://web", Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task Settings_that_cannot_be_read_are_told_by_the_first_call_where_nobody_checks_them_before()
    {
        await using var node = NodeUnderTest.Away();
        await using var discovery = DiscoveryUnderTest.Of(node, configuration: [("Mesh:Enabled", "maybe")]);

        var told = Assert.Throws<InvalidOperationException>(() => discovery.Provider("http://web"));

        Assert.Contains("Mesh:Enabled", told.Message, StringComparison.Ordinal);
        Assert.Contains("it must be true or false", told.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.8")]
    public async Task A_name_that_no_Service_has_is_told_with_the_nearest_one_where_it_can_be_no_hosts()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Told.Namespace("default");
        node.Told.Service("default/web", DiscoveryUnderTest.Ports);
        node.Told.Synced();
        var log = new LogLines();
        await using var discovery = DiscoveryUnderTest.Of(
            node, compose: services => services.AddLogging(logging => logging.AddProvider(log)).AddMeshServiceDiscovery().AddServiceDiscovery());

        var told = await Assert.ThrowsAsync<MeshDiscoveryException>(() => discovery.AddressesAsync("http://webb.default.svc", Stop));
        Assert.Equal(("default/webb", "Service default/webb does not exist; nearest web"), (told.Service, told.Message));
        Assert.DoesNotContain(log.Written, line => line.StartsWith("Warning", StringComparison.Ordinal));

        // Others may be hosts' too: they go to DNS, whose own answer would not say what was mistyped.
        foreach (var address in (string[])["http://webb", "http://webb:8080", "http://webbb.default", "http://webb.default.svc.cluster.local"])
        {
            Assert.StartsWith("webb", Assert.Single(await discovery.AddressesAsync(address, Stop)), StringComparison.Ordinal);
        }

        Assert.StartsWith("Warning: Service default/webb does not exist; nearest web. The name is left to DNS", Assert.Single(log.Written, line => line.StartsWith("Warning", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Thousands_of_names_are_a_crawlers_and_the_rest_of_them_is_left_to_DNS()
    {
        await using var node = NodeUnderTest.Away();
        await using var discovery = DiscoveryUnderTest.Of(node);

        var taken = Enumerable.Range(0, ServiceWatches.MostNames + 10).Count(number => discovery.Provider($"http://host-{number}.shop") is not null);

        Assert.Equal(ServiceWatches.MostNames, taken);
        Assert.NotNull(discovery.Provider("http://host-7.shop"));
    }
}
