using System.Text;
using Mesh.ApiServer.Documents;
using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class YamlTests
{
    [Theory]
    [InlineData("a: 1\nb: [x, 'y', \"2\", -3, 1.5, 1e3]", """{"a":1,"b":["x","y","2",-3,1.5,1000]}""")]
    [InlineData("a: true\nb: no\nc: ~\nd:\ne: 'true'", """{"a":true,"b":false,"c":null,"d":null,"e":"true"}""")]
    [InlineData("a:\n- b: c\n  d: {}\n- []", """{"a":[{"b":"c","d":{}},[]]}""")]
    [InlineData("a: |\n  x\n  y\n", """{"a":"x\ny\n"}""")]
    [InlineData("8: 10.1.2.3\na: 1.2.3 # comment", """{"8":"10.1.2.3","a":"1.2.3"}""")]
    [InlineData("a: 1\na: 2", """{"a":1,"a":2}""")]
    [InlineData("a: 123456789012345678901234567890", """{"a":"123456789012345678901234567890"}""")]
    [InlineData("{\"a\": [1]}", """{"a":[1]}""")]
    public void Yaml_means_what_kubectl_reads_in_it(string yaml, string json) =>
        Assert.Equal(json, Encoding.UTF8.GetString(Read(yaml).Value!));

    [Theory]
    [InlineData("a: &x 1\nb: *x", "aliases are not accepted")]
    [InlineData("a: !!binary aGk=", "the tag")]
    [InlineData("{a: 1}: b", "a key is text")]
    [InlineData("a: 1\n---\nb: 2", "more than one document")]
    [InlineData("a: [", "not valid YAML")]
    public void Yaml_that_is_not_accepted_is_400_with_a_sentence(string yaml, string sentence)
    {
        var refusal = Read(yaml).Refusal!;

        Assert.Equal(400, refusal.Code);
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Row", "REL-A05")]
    [Trait("Row", "REL-A06")]
    public void Yaml_that_is_made_to_cost_is_refused()
    {
        var bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 9; i++)
        {
            bomb.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1}]\n");
        }

        Assert.Equal(400, Read(bomb.ToString()).Refusal!.Code);
        Assert.Equal(400, Read(string.Concat(Enumerable.Repeat("? - ", 250_000))).Refusal!.Code);
        Assert.Equal(400, Read(new string('[', 1_000_000)).Refusal!.Code);
    }

    private static Errors.Outcome<byte[]> Read(string yaml) => YamlReader.Read(Encoding.UTF8.GetBytes(yaml));
}
