using Mesh.Hosting.Options;
using Xunit;

namespace Mesh.Hosting.Tests.Options;

/// <summary>The options of NodePort and LoadBalancer Services.</summary>
public sealed class ServiceTypeOptionTests
{
    [Fact]
    public void Not_given_they_are_Kubernetes_range_every_address_and_no_pool_but_the_machines_own()
    {
        var options = Run();

        Assert.Equal((30000, 32767), (options.NodePortRange.First, options.NodePortRange.Last));
        Assert.Empty(options.NodePortAddresses);
        Assert.Empty(options.LoadBalancerPool);
    }

    [Fact]
    public void Given_they_are_ranges_addresses_and_networks()
    {
        var options = Run(
            "--nodeport-range", "31000-31009", "--nodeport-addresses", "10.1.0.0/16, 127.0.0.1", "--loadbalancer-pool", "10.9.0.8/30,127.0.0.7");

        Assert.Equal("31000-31009", options.NodePortRange.ToString());
        Assert.Equal(["10.1.0.0/16", "127.0.0.1/32"], options.NodePortAddresses.Select(block => block.ToString()));
        Assert.Equal(["10.9.0.8/30", "127.0.0.7/32"], options.LoadBalancerPool.Select(block => block.ToString()));
        Assert.Empty(Run("--nodeport-addresses", "all").NodePortAddresses);
    }

    [Theory]
    [InlineData("--nodeport-range '30000' is not a range of ports", "--nodeport-range", "30000")]
    [InlineData("--nodeport-range '0-10' is not", "--nodeport-range", "0-10")]
    [InlineData("--nodeport-range '30000-65536' is not", "--nodeport-range", "30000-65536")]
    [InlineData("--nodeport-range '32767-30000' is not", "--nodeport-range", "32767-30000")]
    [InlineData("--nodeport-range '+30000-32767' is not", "--nodeport-range", "+30000-32767")]
    [InlineData("--silo-port 30000 lies inside the NodePort range 30000-32767", "--silo-port", "30000")]
    [InlineData("--silo-port 11111 lies inside the NodePort range 11000-12000", "--nodeport-range", "11000-12000")]
    [InlineData("--api-listen 127.0.0.1:6443 lies inside the NodePort range 6443-6443", "--nodeport-range", "6443-6443")]
    [InlineData("--ingress-http 0.0.0.0:31080 lies inside the NodePort range 30000-32767", "--ingress-http", "0.0.0.0:31080")]
    [InlineData("--nodeport-addresses 'none' is not all, or IPv4 addresses and networks", "--nodeport-addresses", "none")]
    [InlineData("--nodeport-addresses '127.1' is not", "--nodeport-addresses", "127.1")]
    [InlineData("--nodeport-addresses '10.0.0.1/8' is not", "--nodeport-addresses", "10.0.0.1/8")]
    [InlineData("--nodeport-addresses '::1' is not", "--nodeport-addresses", "::1")]
    [InlineData("--nodeport-addresses '10.0.0.0/8,' is not", "--nodeport-addresses", "10.0.0.0/8,")]
    [InlineData("--loadbalancer-pool 'all' is not IPv4 addresses and networks", "--loadbalancer-pool", "all")]
    [InlineData("--loadbalancer-pool 10.0.0.0/19 holds more than 4096 addresses", "--loadbalancer-pool", "10.0.0.0/19")]
    [InlineData("--loadbalancer-pool 10.0.0.0/20,10.1.0.1/32 holds more than 4096 addresses", "--loadbalancer-pool", "10.0.0.0/20,10.1.0.1")]
    [InlineData("--loadbalancer-pool 127.96.7.0/24 overlaps --service-cidr or --pod-cidr", "--loadbalancer-pool", "127.96.7.0/24")]
    [InlineData("--loadbalancer-pool 127.80.0.1/32 overlaps --service-cidr or --pod-cidr", "--loadbalancer-pool", "127.80.0.1")]
    [InlineData("--loadbalancer-pool 0.0.0.0/32 holds no addresses of a machine", "--loadbalancer-pool", "0.0.0.0")]
    [InlineData("--loadbalancer-pool 169.254.1.1/32 holds no addresses of a machine", "--loadbalancer-pool", "169.254.1.1")]
    [InlineData("--loadbalancer-pool 239.1.1.1/32 holds no addresses of a machine", "--loadbalancer-pool", "239.1.1.1")]
    [InlineData("--loadbalancer-pool 255.255.255.255/32 holds no addresses of a machine", "--loadbalancer-pool", "255.255.255.255")]
    public void What_cannot_be_meant_is_refused_in_one_line(string line, params string[] arguments)
    {
        var refused = Assert.IsType<OptionsOutcome.Refused>(OptionsParser.Parse(arguments, new Dictionary<string, string>(), "here", OptionTable.Silo));

        Assert.StartsWith(line, refused.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_is_bounded()
    {
        var line = string.Join(',', Enumerable.Range(0, 65).Select(number => $"10.0.0.{number}"));

        Assert.IsType<OptionsOutcome.Refused>(
            OptionsParser.Parse(["--nodeport-addresses", line], new Dictionary<string, string>(), "here", OptionTable.Silo));
    }

    private static MeshOptions Run(params string[] arguments) =>
        Assert.IsType<OptionsOutcome.Run>(OptionsParser.Parse(arguments, new Dictionary<string, string>(), "here", OptionTable.Silo)).Options;
}
