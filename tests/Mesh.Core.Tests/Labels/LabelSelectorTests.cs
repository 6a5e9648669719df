using CsCheck;
using Mesh.Core.Labels;
using Xunit;

namespace Mesh.Core.Tests.Labels;

public class LabelSelectorTests
{
    [Theory]
    [Trait("Row", "SVC-W11")]
    [InlineData("", true)]
    [InlineData("app=web", true)]
    [InlineData("app==web", true)]
    [InlineData(" app = web , tier != db ", true)]
    [InlineData("app=api", false)]
    [InlineData("app!=api", true)]
    [InlineData("none!=x", true)]
    [InlineData("app in (api, web)", true)]
    [InlineData("app in(api)", false)]
    [InlineData("app notin (api)", true)]
    [InlineData("none notin (x)", true)]
    [InlineData("app", true)]
    [InlineData("none", false)]
    [InlineData("!none", true)]
    [InlineData("! app", false)]
    [InlineData("tier=,app", true)]
    [InlineData("tier in (,x)", true)]
    [InlineData("in in (in)", false)]
    [InlineData("example.com/role=a", true)]
    public void Selectors_match_as_the_API_says(string text, bool matches)
    {
        Assert.True(LabelSelector.TryParse(text, out var selector, out var problem), problem);
        Assert.Equal(matches, selector.Matches(LabelMap.Of(("app", "web"), ("tier", ""), ("example.com/role", "a"))));
    }

    [Theory]
    [InlineData("app=a b")]
    [InlineData("app=web,")]
    [InlineData(",")]
    [InlineData("a/b/c=d")]
    [InlineData("app in ()x")]
    [InlineData("app in (a")]
    [InlineData("app in a")]
    [InlineData("app!web")]
    [InlineData("app>1")]
    [InlineData("app is web")]
    [InlineData("-app=web")]
    [InlineData("app=-x")]
    [InlineData("app=web)")]
    public void Bad_syntax_is_refused_with_a_sentence(string text)
    {
        Assert.False(LabelSelector.TryParse(text, out _, out var problem));
        Assert.StartsWith("unable to parse requirement", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_always_has_a_sentence_and_only_a_refusal() =>
        Gen.OneOf("a", "/", "=", "!", "(", ")", ",", " ", "in", "notin", "-").Array[0, 8].Sample(parts =>
            LabelSelector.TryParse(string.Concat(parts), out _, out var problem) == (problem is null));

    [Theory]
    [Trait("Row", "SVC-W12")]
    [InlineData("", true)]
    [InlineData("metadata.name=web", true)]
    [InlineData("metadata.name==web,status.phase!=Failed", true)]
    [InlineData("metadata.name=api", false)]
    [InlineData("status.phase=", true)]
    [InlineData(@"spec.x=a\,b\=c", true)]
    public void Field_selectors_match(string text, bool matches)
    {
        Assert.True(FieldSelector.TryParse(text, out var selector, out _));
        Assert.Equal(matches, selector.Matches(field => field switch { "metadata.name" => "web", "spec.x" => "a,b=c", _ => "" }));
    }

    [Theory]
    [InlineData("metadata.name")]
    [InlineData("=x")]
    [InlineData("a=b=c")]
    [InlineData(@"a=b\x")]
    [InlineData(@"a=b\")]
    public void Bad_field_selectors_are_refused(string text)
    {
        Assert.False(FieldSelector.TryParse(text, out _, out var problem));
        Assert.StartsWith("invalid selector", problem, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Row", "SVC-W10")]
    public void A_field_selector_can_name_one_object()
    {
        Assert.True(FieldSelector.TryParse("metadata.name=web,a!=b", out var selector, out _));
        Assert.Equal("web", selector.Exactly("metadata.name"));
        Assert.Null(selector.Exactly("a"));
    }
}
