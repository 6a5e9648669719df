using Mesh.Core.Ingresses;
using Xunit;

namespace Mesh.Core.Tests.Ingresses;

public class PathMatchingTests
{
    [Theory]
    [Trait("Row", "ING-P01")]
    [InlineData("/")]
    [InlineData("/any/thing")]
    public void The_prefix_slash_matches_everything(string path) => Matches(["/"], path, "/");

    [Theory]
    [Trait("Row", "ING-P02")]
    [InlineData("/foo", "=/foo")]
    [InlineData("/foo/", null)]
    [InlineData("/FOO", null)]
    [InlineData("/bar", null)]
    [InlineData("/foo/bar", null)]
    public void Exact_is_exact(string path, string? rule) => Matches(["=/foo"], path, rule);

    [Theory]
    [Trait("Row", "ING-P03")]
    [InlineData("/foo/", "=/foo/")]
    [InlineData("/foo", null)]
    public void Exact_with_a_slash_wants_the_slash(string path, string? rule) => Matches(["=/foo/"], path, rule);

    [Theory]
    [Trait("Row", "ING-P04")]
    [Trait("Row", "ING-P05")]
    [InlineData("/foo", true)]
    [InlineData("/foo/", true)]
    [InlineData("/foo/x", true)]
    [InlineData("/FOO", false)]
    [InlineData("/foobar", false)]
    public void A_prefix_matches_whole_elements_with_or_without_slash(string path, bool hit)
    {
        Matches(["/foo"], path, hit ? "/foo" : null);
        Matches(["/foo/"], path, hit ? "/foo/" : null);
    }

    [Theory]
    [Trait("Row", "ING-P06")]
    [InlineData("/aaa/bb", "/aaa/bbb", null)]
    [InlineData("/aaa/bbb", "/aaa/bbbxyz", null)]
    [InlineData("/aaa/bbb", "/aaa/bbb/ccc", "/aaa/bbb")]
    public void A_prefix_is_no_string_prefix(string rule, string path, string? hit) => Matches([rule], path, hit);

    [Theory]
    [Trait("Row", "ING-P07")]
    [Trait("Row", "ING-P08")]
    [InlineData("/aaa/bbb", "/aaa/bbb")]
    [InlineData("/aaa/bbb/ccc", "/aaa/bbb")]
    [InlineData("/aaa/ccc", "/aaa")]
    [InlineData("/aaaccc", "/")]
    [InlineData("/ccc", "/")]
    public void The_longest_prefix_wins(string path, string rule) => Matches(["/", "/aaa", "/aaa/bbb"], path, rule);

    [Theory]
    [Trait("Row", "ING-P09")]
    [InlineData("/foo", "=/foo")]
    [InlineData("/foo/", "/foo")]
    [InlineData("/foo/x", "/foo")]
    public void Exact_comes_before_an_equal_prefix(string path, string rule) => Matches(["/foo", "=/foo"], path, rule);

    [Theory]
    [Trait("Row", "ING-P10")]
    [InlineData("/foo")]
    [InlineData("/foo/")]
    [InlineData("/foo/x")]
    public void Of_two_prefixes_that_differ_in_the_slash_the_longer_wins(string path) => Matches(["/foo", "/foo/"], path, "/foo/");

    [Fact]
    [Trait("Row", "ING-P11")]
    public void Exact_comes_before_the_prefix_with_a_slash() => Matches(["/foo/", "=/foo"], "/foo", "=/foo");

    [Fact]
    [Trait("Row", "ING-P12")]
    public void Without_a_match_the_default_backend_answers_or_nobody()
    {
        Matches(["/aaa"], "/ccc", null);
        Assert.Equal("default", Rules.Table(Rules.Of("a", 1, "/aaa").WithDefault()).Hit("x", "/ccc"));
    }

    [Theory]
    [Trait("Row", "ING-P13")]
    [Trait("Row", "ING-P14")]
    [InlineData("~/foo", "/foo/x", "~/foo")]
    [InlineData("~/foo", "/foobar", null)]
    [InlineData("~host", "/any", "~host")]
    public void ImplementationSpecific_is_a_prefix_and_without_path_the_whole_host(string rule, string path, string? hit) =>
        Assert.Equal(hit, Rules.Table(Rules.Of("a", 1, rule)).Hit("host", path));

    [Fact]
    [Trait("Row", "ING-P16")]
    public void Of_two_equal_rules_in_one_Ingress_the_first_wins()
    {
        var match = Assert.IsType<IngressMatch.Found>(Rules.Table(Rules.Of("a", 1, "h/x", "h/x")).Match("h", "/x"));
        Assert.Equal("a-0", match.Backend!.Service.Name);
    }

    [Theory]
    [Trait("Row", "ING-N02")]
    [Trait("Row", "ING-N03")]
    [Trait("Row", "ING-N04")]
    [Trait("Row", "ING-N07")]
    [InlineData("/a/b", "//a///b", true)]
    [InlineData("/a", "/a%2Fb", false)]
    [InlineData("~/a%2Fb", "/a%2fb/c", true)]
    [InlineData("/aA", "/a%41", true)]
    [InlineData("/foo", "/%66oo", true)]
    [InlineData("/a!", "/a%21", false)]
    [InlineData("/ä", "/%C3%a4", true)]
    [InlineData("/a", "/a\\b", false)]
    [InlineData("/a;x=1/..;", "/a;x=1/..;/b", true)]
    public void Paths_are_compared_in_one_canonical_form(string rule, string path, bool hit) =>
        Assert.Equal(hit, Rules.Table(Rules.Of("a", 1, rule)).Hit("x", path) is not null);

    [Fact]
    public void A_long_path_is_matched_too() =>
        Matches(["/a"], "/a/" + new string('b', 5_000) + "%41", "/a");

    [Fact]
    [Trait("Row", "ING-P17")]
    public void A_hit_allocates_nothing_however_many_rules_there_are()
    {
        var table = Rules.Table(
            [.. Enumerable.Range(0, 200).Select(i => Rules.Of("i" + i, i, [.. Enumerable.Range(0, 10).Select(j => $"h{i}.example/p{j}/x")]))]);
        table.Match("h7.example:80", "/p3/x/%41");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var match = table.Match("h7.example:80", "/p3/x/%41");
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.IsType<IngressMatch.Found>(match);
    }

    private static void Matches(string[] rules, string path, string? expected) =>
        Assert.Equal(expected, Rules.Table(Rules.Of("a", 1, rules)).Hit("x", path));
}
