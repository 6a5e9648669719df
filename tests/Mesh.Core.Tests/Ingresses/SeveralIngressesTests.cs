using CsCheck;
using Mesh.Core.Ingresses;
using Xunit;

namespace Mesh.Core.Tests.Ingresses;

public class SeveralIngressesTests
{
    [Fact]
    [Trait("Row", "ING-M01")]
    public void Paths_of_one_host_are_merged()
    {
        var table = Rules.Table(Rules.Of("a", 1, "h/a"), Rules.Of("b", 2, "h/b"));

        Assert.Equal("h/a", table.Hit("h", "/a"));
        Assert.Equal("h/b", table.Hit("h", "/b"));
    }

    [Fact]
    [Trait("Row", "ING-M02")]
    public void The_oldest_wins_and_the_next_follows_when_it_goes()
    {
        var table = Rules.Table(Rules.Of("young", 5, "h/a"), Rules.Of("old", 2, "h/a"), Rules.Of("b-equal", 2, "h/a"));

        Assert.Equal("b-equal", Winner(table));
        table = table.Without(Rules.Of("b-equal", 2).Name);
        Assert.Equal("old", Winner(table));
        table = table.Without(Rules.Of("old", 2).Name);
        Assert.Equal("young", Winner(table));
        Assert.IsType<IngressMatch.NoHost>(table.Without(Rules.Of("young", 5).Name).Match("h", "/a"));
    }

    [Fact]
    [Trait("Row", "ING-D01")]
    public void A_default_backend_without_rules_catches_everything()
    {
        var table = Rules.Table(Rules.Of("all", 9).WithDefault());

        Assert.Equal("default", table.Hit("", "/x"));
        Assert.Equal("/", Assert.IsType<IngressMatch.Found>(table.Match("any", "/")).Route);
    }

    [Fact]
    [Trait("Row", "ING-D02")]
    public void The_default_of_an_Ingress_serves_its_own_hosts_first()
    {
        var table = Rules.Table(
            Rules.Of("own", 5, "h/a").WithDefault(), Rules.Of("other", 1, "g/a"), Rules.Of("all", 3).WithDefault(), Rules.Of("all-2", 2).WithDefault());

        Assert.Equal("own-default", Default(table, "h", "/x"));
        Assert.Equal("all-2-default", Default(table, "g", "/x"));
        Assert.Equal("all-2-default", Default(table, "unknown", "/x"));
    }

    [Fact]
    [Trait("Row", "ING-D02")]
    public void One_Ingress_with_rules_and_a_default_answers_unknown_hosts_but_not_the_paths_of_others()
    {
        var table = Rules.Table(Rules.Of("own", 5, "h/a").WithDefault(), Rules.Of("other", 1, "g/a"));

        Assert.Equal("own-default", Default(table, "unknown", "/x"));
        Assert.Null(table.Hit("g", "/x"));
    }

    [Fact]
    [Trait("Row", "ING-D03")]
    public void A_miss_names_what_was_probably_meant()
    {
        var table = Rules.Table(Rules.Of("a", 1, "shop.example.com/orders", "*.example.org/", "=shop.example.com/health"));

        Assert.Equal("shop.example.com", Assert.IsType<IngressMatch.NoHost>(table.Match("shpo.example.com:80", "/")).Nearest);
        Assert.Equal("*.example.org", Assert.IsType<IngressMatch.NoHost>(table.Match("a.b.example.org", "/")).Nearest);
        Assert.Null(Assert.IsType<IngressMatch.NoHost>(table.Match("nothing.like.it", "/")).Nearest);
        Assert.Equal("/orders", Assert.IsType<IngressMatch.NoPath>(table.Match("shop.example.com", "/order")).Nearest);
        Assert.Equal("/health", Assert.IsType<IngressMatch.NoPath>(table.Match("shop.example.com", "/Health/")).Nearest);
    }

    [Fact]
    public void The_table_agrees_with_a_naive_matcher() =>
        Gen.Select(Ingresses, Gen.Int[0, 3], Gen.OneOf(Hosts), Gen.OneOf(Paths)).Sample((ingresses, removed, host, path) =>
        {
            var (table, kept) = Build(ingresses, removed);
            return table.Hit(host, path) == Naive(kept, host, path);
        });

    [Fact]
    public void The_generators_reach_rules_defaults_and_misses()
    {
        var (rules, defaults, misses) = (0, 0, 0);
        Gen.Select(Ingresses, Gen.OneOf(Hosts), Gen.OneOf(Paths)).Sample((ingresses, host, path) =>
        {
            var hit = Naive(Build(ingresses, 0).Kept, host, path);
            Interlocked.Add(ref rules, hit is not null and not "default" ? 1 : 0);
            Interlocked.Add(ref defaults, hit == "default" ? 1 : 0);
            Interlocked.Add(ref misses, hit is null ? 1 : 0);
        }, iter: 1_000);
        Assert.True(rules > 20 && defaults > 20 && misses > 20, $"{rules} rules, {defaults} defaults, {misses} misses");
    }

    private static readonly string[] Hosts = ["a.x", "b.x", "x", "c.b.x"];

    private static readonly string[] Paths = ["/", "/p", "/p/", "/p/q", "/p/q/", "/pq", "/P", "//p//q"];

    private static readonly Gen<string> Rule =
        Gen.Select(Gen.OneOf("", "=", "~"), Gen.OneOf("", "a.x", "*.x"), Gen.OneOf("/", "/p", "/p/", "/p/q")).Select((type, host, path) => type + host + path);

    private static readonly Gen<Ingress[]> Ingresses =
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 2], Rule.Array[0, 4], Gen.Bool)
            .Select((name, age, rules, isDefault) => isDefault ? Rules.Of("i" + name, age, rules).WithDefault() : Rules.Of("i" + name, age, rules))
            .Array[0, 5];

    private static (IngressTable Table, List<Ingress> Kept) Build(Ingress[] ingresses, int removed)
    {
        var table = IngressTable.Empty;
        var kept = new List<Ingress>();
        var version = 0;
        foreach (var ingress in ingresses)
        {
            var stored = ingress with { ResourceVersion = ++version };
            kept.RemoveAll(other => other.Name == stored.Name);
            kept.Add(stored);
            table = table.With(stored);
        }

        var gone = Rules.Of("i" + removed, 1).Name;
        kept.RemoveAll(other => other.Name == gone);
        return (table.Without(gone), kept);
    }

    /// <summary>The specification, rule by rule, over all rules.</summary>
    private static string? Naive(List<Ingress> ingresses, string host, string path)
    {
        var parent = host.Contains('.', StringComparison.Ordinal) ? "*" + host[host.IndexOf('.', StringComparison.Ordinal)..] : "-";
        var all = ingresses.OrderBy(i => i.CreatedVersion).ThenBy(i => i.Name)
            .SelectMany(i => i.Rules.Select(rule => (Ingress: i, rule.Host, Path: rule.Paths[0])))
            .ToArray();
        var chosen = new[] { host, parent, "" }.FirstOrDefault(candidate => all.Any(rule => rule.Host == candidate));
        if (chosen is null)
        {
            return ingresses.Exists(i => i.DefaultBackend is not null) ? "default" : null;
        }

        var winner = all.Where(rule => rule.Host == chosen && Fits(rule.Path, path))
            .OrderByDescending(rule => Elements(rule.Path.Path).Length)
            .ThenByDescending(rule => rule.Path.Type == PathType.Exact)
            .ThenByDescending(rule => rule.Path.Path.Length)
            .FirstOrDefault();
        if (winner.Path is { } found)
        {
            return (found.Type switch { PathType.Exact => "=", PathType.ImplementationSpecific => "~", _ => "" }) + winner.Host + found.Path;
        }

        var answers = all.Any(rule => rule.Host == chosen && rule.Ingress.DefaultBackend is not null)
            || ingresses.Exists(i => i.DefaultBackend is not null && i.Rules.IsEmpty);
        return answers ? "default" : null;
    }

    private static bool Fits(IngressPath rule, string path)
    {
        var (want, has) = (Elements(rule.Path), Elements(path));
        return rule.Type == PathType.Exact
            ? want.SequenceEqual(has) && (want.Length == 0 || rule.Path.EndsWith('/') == path.EndsWith('/'))
            : has.Take(want.Length).SequenceEqual(want);
    }

    private static string[] Elements(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static string Winner(IngressTable table) => Assert.IsType<IngressMatch.Found>(table.Match("h", "/a")).Ingress.Name;

    private static string Default(IngressTable table, string host, string path) =>
        Assert.IsType<IngressMatch.Found>(table.Match(host, path)).Backend!.Service.Name;
}
