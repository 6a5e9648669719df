using Mesh.Core.Ingresses;
using Xunit;

namespace Mesh.Core.Tests.Ingresses;

public class HostMatchingTests
{
    [Theory]
    [Trait("Row", "ING-H01")]
    [Trait("Row", "ING-H02")]
    [Trait("Row", "ING-H03")]
    [InlineData("foo.bar.com")]
    [InlineData("FOO.bar.com")]
    [InlineData("foo.bar.com:8080")]
    [InlineData("foo.bar.com.")]
    [InlineData("foo.bar.com.:443")]
    public void Case_port_and_trailing_dot_do_not_count(string host) =>
        Assert.Equal("foo.bar.com/", Rules.Table(Rules.Of("a", 1, "foo.bar.com/")).Hit(host, "/"));

    [Theory]
    [Trait("Row", "ING-H04")]
    [Trait("Row", "ING-H05")]
    [InlineData("bar.foo.com", true)]
    [InlineData("BAR.FOO.COM:80", true)]
    [InlineData("baz.bar.foo.com", false)]
    [InlineData("foo.com", false)]
    [InlineData(".foo.com", false)]
    [InlineData("com", false)]
    [InlineData("", false)]
    public void A_wildcard_is_exactly_one_label(string host, bool hit) =>
        Assert.Equal(hit ? "*.foo.com/" : null, Rules.Table(Rules.Of("a", 1, "*.foo.com/")).Hit(host, "/"));

    [Fact]
    [Trait("Row", "ING-H06")]
    [Trait("Row", "ING-H07")]
    public void A_known_host_does_not_fall_through_to_a_less_specific_one()
    {
        var table = Rules.Table(Rules.Of("a", 1, "*.foo.com/", "bar.foo.com/only", "/"));

        Assert.Null(table.Hit("bar.foo.com", "/other"));
        Assert.Equal("*.foo.com/", table.Hit("baz.foo.com", "/other"));
    }

    [Theory]
    [Trait("Row", "ING-H08")]
    [Trait("Row", "ING-H10")]
    [InlineData("anything")]
    [InlineData("")]
    [InlineData("10.0.0.1:80")]
    [InlineData("[::1]:8080")]
    [InlineData("::1")]
    [InlineData("höst.example")]
    public void The_empty_host_matches_every_host(string host) =>
        Assert.Equal("/", Rules.Table(Rules.Of("a", 1, "/", "*.0.0.1/")).Hit(host, "/x"));

    [Fact]
    [Trait("Row", "ING-H09")]
    public void An_exact_host_comes_before_a_wildcard_and_that_before_the_empty_host()
    {
        var table = Rules.Table(Rules.Of("a", 1, "/", "*.foo.com/", "a.foo.com/"));

        Assert.Equal("a.foo.com/", table.Hit("a.foo.com", "/"));
        Assert.Equal("*.foo.com/", table.Hit("b.foo.com", "/"));
        Assert.Equal("/", table.Hit("x.org", "/"));
    }

    [Fact]
    [Trait("Row", "ING-H11")]
    public void A_host_that_is_not_ASCII_matches_no_name() =>
        Assert.Null(Rules.Table(Rules.Of("a", 1, "xn--hst-sna.example/", "*.example/")).Hit("höst.example", "/"));

    [Fact]
    [Trait("Row", "ING-H15")]
    public void A_rule_without_paths_sends_its_host_to_the_default_backend()
    {
        var ingress = Rules.Of("a", 1) with { Rules = [new IngressRule("foo.com", [])] };

        Assert.Equal("default", Rules.Table(ingress.WithDefault()).Hit("foo.com", "/any"));
        Assert.IsType<IngressMatch.NoPath>(Rules.Table(ingress).Match("foo.com", "/any"));
    }

    [Fact]
    public void The_hosts_that_have_rules_are_known_in_order_and_as_long_as_one_rule_names_them()
    {
        var table = Rules.Table(Rules.Of("a", 1, "b.test/", "*.a.test/", "/"), Rules.Of("b", 2, "a.test/", "b.test/x"));
        Assert.Equal(["*.a.test", "a.test", "b.test"], table.HostNames);

        table = table.Without(Rules.Of("a", 1).Name);
        Assert.Equal(["a.test", "b.test"], table.HostNames);
        Assert.Empty(table.Without(Rules.Of("b", 1).Name).HostNames);
    }

    [Fact]
    public void Of_ten_thousand_hosts_five_are_told()
    {
        var table = IngressTable.Empty;
        for (var host = 0; host < 10_000; host++)
        {
            table = table.With(Rules.Of($"i{host}", host + 1, $"h{host:00000}.test/"));
        }

        Assert.Equal("; there are rules for h00000.test, h00001.test, h00002.test, h00003.test, h00004.test and 9995 more", Mesh.Core.Routing.RefusalText.KnownHosts(table));
        Assert.Equal("; no Ingress names a host", Mesh.Core.Routing.RefusalText.KnownHosts(Rules.Table(Rules.Of("a", 1, "/"))));
    }
}
