using CsCheck;
using Mesh.Core.Names;
using Xunit;

namespace Mesh.Core.Tests.Names;

public class NameRulesTests
{
    private static readonly Gen<string> Text = Gen.OneOf("a", "-", ".", "1", "A", "/", "b-1").Array[0, 6].Select(string.Concat);

    [Theory]
    [Trait("Row", "SVC-V1")]
    [InlineData("web", true)]
    [InlineData("a-1", true)]
    [InlineData("1abc", false)]
    [InlineData("a.b", false)]
    [InlineData("Web", false)]
    [InlineData("a-", false)]
    [InlineData("", false)]
    public void A_Service_is_named_by_a_DNS_1035_label(string text, bool valid)
    {
        Assert.Equal(valid, NameRules.IsDns1035Label(text));
        Assert.False(NameRules.IsDns1035Label(new string('a', 64)));
    }

    [Theory]
    [InlineData("app", true)]
    [InlineData("App_1.x", true)]
    [InlineData("example.com/app", true)]
    [InlineData("/app", false)]
    [InlineData("example.com/", false)]
    [InlineData("Example.com/app", false)]
    [InlineData("a/b/c", false)]
    [InlineData("-a", false)]
    [InlineData("a.", false)]
    [InlineData("ä", false)]
    public void Keys_are_qualified_names(string text, bool valid) => Assert.Equal(valid, NameRules.IsQualifiedName(text));

    [Theory]
    [InlineData("", true)]
    [InlineData("v1.2_x", true)]
    [InlineData("_x", false)]
    [InlineData("a b", false)]
    public void Label_values_may_be_empty(string text, bool valid)
    {
        Assert.Equal(valid, NameRules.IsLabelValue(text));
        Assert.True(NameRules.IsLabelValue(new string('a', 63)));
        Assert.False(NameRules.IsLabelValue(new string('a', 64)));
    }

    [Theory]
    [Trait("Row", "SVC-V11")]
    [InlineData("http", 0)]
    [InlineData("8080", 1)]
    [InlineData("a--b", 1)]
    [InlineData("-a", 1)]
    [InlineData("Http_x", 1)]
    [InlineData("abcdefghijklmnop", 1)]
    [InlineData("-1--2-", 3)]
    [InlineData("", 2)]
    public void A_port_name_is_told_every_rule_that_it_breaks(string text, int problems) =>
        Assert.Equal(problems, NameRules.PortNameProblems(text).Count);

    [Theory]
    [InlineData("*.example.com", true)]
    [InlineData("*", false)]
    [InlineData("*.*.com", false)]
    [InlineData("a.*.com", false)]
    public void A_wildcard_is_one_star_in_front(string text, bool valid) => Assert.Equal(valid, NameRules.IsWildcardSubdomain(text));

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("1", false)]
    [InlineData("127.1", false)]
    [InlineData("127.0.0.01", false)]
    [InlineData("0x7f.0.0.1", false)]
    [InlineData("fe80::1%lo", false)]
    [InlineData("[::1]", false)]
    [InlineData("", false)]
    public void Addresses_are_read_strictly(string text, bool valid) => Assert.Equal(valid, AddressText.TryParse(text, out _));

    [Fact]
    public void A_namespaced_name_survives_being_printed() =>
        Text.Sample(text =>
            !NamespacedName.TryParse(text, out var name)
            || (name.ToString() == text && NamespacedName.Of(name.Namespace, name.Name) == name && DnsLabel.IsValid(name.Namespace)));

    [Fact]
    public void The_generator_reaches_names()
    {
        var valid = 0;
        Text.Sample(text => Interlocked.Add(ref valid, NamespacedName.TryParse(text, out _) ? 1 : 0), iter: 20_000);
        Assert.True(valid > 20, $"{valid} names");
    }
}
