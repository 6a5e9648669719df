using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Xunit;

namespace Mesh.Core.Tests.Ingresses;

/// <summary>Which Secret's certificate a name is shown.</summary>
public class SniTableTests
{
    [Theory]
    [Trait("Row", "ING-T02")]
    [InlineData("a.test", "exact")]
    [InlineData("A.TEST", "exact")]
    [InlineData("b.test", "wild")]
    [InlineData("x.b.test", null)]
    [InlineData("test", null)]
    [InlineData("other.example", null)]
    [InlineData("", null)]
    [InlineData("127.0.0.1", null)]
    public void A_name_has_its_own_certificate_then_that_of_one_label_and_none_otherwise(string name, string? secret) =>
        Assert.Equal(secret, Shown(Table(Tls("one", 1, ("exact", ["a.test"])), Tls("two", 2, ("wild", ["*.test"]))), name));

    [Fact]
    [Trait("Row", "ING-T03")]
    public void An_entry_without_hosts_is_for_the_hosts_of_the_rules_that_no_other_names()
    {
        var ingress = Rules.Of("shop", 1, "a.test/", "b.test/", "c.test/") with
        {
            Tls = [new IngressTls([], Secret("rest")), new IngressTls(["b.test"], Secret("own"))],
        };
        var table = Table(ingress);

        Assert.Equal(["rest", "own", "rest", null], new[] { "a.test", "b.test", "c.test", "d.test" }.Select(name => Shown(table, name)));
    }

    [Theory]
    [Trait("Row", "ING-T03")]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_any_host_it_is_for_every_name_and_for_none(bool hasRule)
    {
        var ingress = (hasRule ? Rules.Of("all", 1, "/") : Rules.Of("all", 1).WithDefault()) with { Tls = [new IngressTls([], Secret("all"))] };
        var table = Table(ingress, Tls("one", 2, ("exact", ["a.test"])));

        Assert.Equal(["exact", "all", "all"], new[] { "a.test", "b.test", "" }.Select(name => Shown(table, name)));
    }

    [Fact]
    [Trait("Row", "ING-M03")]
    public void The_older_Ingress_wins_and_the_next_is_there_when_it_goes()
    {
        var (old, young, none) = (Tls("old", 1, ("old", ["a.test"])), Tls("young", 2, ("young", ["a.test"])), Tls("none", 0, (null, ["a.test"])));
        foreach (var order in (Ingress[][])[[old, young], [young, old]])
        {
            var table = Table(order);
            Assert.Equal("old", Shown(table, "a.test"));
            Assert.Equal("young", Shown(table.Without(old.Name), "a.test"));
            Assert.Null(Shown(table.Without(old.Name).Without(young.Name), "a.test"));

            // The default certificate is a choice as well.
            Assert.Equal("none", table.With(none).Find("a.test")?.Ingress.Name.Name);
        }
    }

    [Fact]
    public void A_change_replaces_all_that_the_Ingress_said()
    {
        var table = Table(Tls("one", 1, ("s", ["a.test", "*.b.test", "a.test"])));
        Assert.Same(table, table.With(Tls("one", 1, ("s", ["a.test"])))); // the same version

        var next = table.With(Tls("one", 1, ("t", ["c.test"])) with { ResourceVersion = 9 });
        Assert.Equal([null, null, "t"], new[] { "a.test", "x.b.test", "c.test" }.Select(name => Shown(next, name)));
        Assert.Null(Shown(next.With(Rules.Of("one", 1, "c.test/") with { ResourceVersion = 10 }), "c.test"));
    }

    [Fact]
    public void The_Secrets_of_the_oldest_Ingresses_are_taken_when_there_are_too_many()
    {
        var ingresses = Enumerable.Range(1, 5).Reverse().Select(age => Tls($"i{age}", age, ($"s{(age + 1) / 2}", [$"h{age}.test"])));
        Assert.Equal(["s1", "s2"], TlsNames.SecretsOf(ingresses, 2).Select(secret => secret.Name).Order());
    }

    private static NamespacedName Secret(string name) => NamespacedName.Of("default", name);

    private static Ingress Tls(string name, int age, params (string? Secret, string[] Hosts)[] entries) =>
        Rules.Of(name, age) with { Tls = [.. entries.Select(entry => new IngressTls([.. entry.Hosts], entry.Secret is null ? null : Secret(entry.Secret)))] };

    private static SniTable Table(params IEnumerable<Ingress> ingresses) => ingresses.Aggregate(SniTable.Empty, (table, ingress) => table.With(ingress));

    private static string? Shown(SniTable table, string name) => table.Find(name)?.Secret?.Name;
}
