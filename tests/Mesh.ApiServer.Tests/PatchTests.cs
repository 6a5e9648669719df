using System.Text.Json.Nodes;
using CsCheck;
using k8s.Models;
using Mesh.ApiServer.Patching;
using Mesh.ApiServer.Schemas;
using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class PatchTests
{
    private static readonly ObjectSchema Service = new SchemaReader().Read(typeof(V1Service));

    private static readonly ObjectSchema Pod = new SchemaReader().Read(typeof(V1Pod));

    // The examples of RFC 7386, appendix A.
    [Theory]
    [Trait("Row", "SVC-B8")]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void A_merge_patch_does_what_the_RFC_says(string target, string patch, string expected) =>
        Assert.Equal(expected, MergePatch.Apply(JsonNode.Parse(target), JsonNode.Parse(patch))!.ToJsonString());

    // After RFC 6902, appendix A.
    [Theory]
    [Trait("Row", "SVC-B8")]
    [InlineData("""{"foo":["bar","baz"]}""", """[{"op":"add","path":"/foo/1","value":"qux"}]""", """{"foo":["bar","qux","baz"]}""")]
    [InlineData("""{"foo":["bar"]}""", """[{"op":"add","path":"/foo/-","value":["abc"]}]""", """{"foo":["bar",["abc"]]}""")]
    [InlineData("""{"baz":1,"foo":2}""", """[{"op":"remove","path":"/baz"}]""", """{"foo":2}""")]
    [InlineData("""{"baz":1}""", """[{"op":"replace","path":"/baz","value":null}]""", """{"baz":null}""")]
    [InlineData("""{"a":{"b":1},"c":{}}""", """[{"op":"move","from":"/a/b","path":"/c/d"}]""", """{"a":{},"c":{"d":1}}""")]
    [InlineData("""{"a":[1]}""", """[{"op":"copy","from":"/a","path":"/b"}]""", """{"a":[1],"b":[1]}""")]
    [InlineData("""{"/":9,"~1":10}""", """[{"op":"test","path":"/~01","value":10},{"op":"add","path":"/~1","value":1}]""", """{"/":1,"~1":10}""")]
    public void A_json_patch_does_what_the_RFC_says(string target, string patch, string expected) =>
        Assert.Equal(expected, JsonPatch.Apply(Parse(target), (JsonArray)JsonNode.Parse(patch)!).Value!.ToJsonString());

    [Theory]
    [InlineData("""[{"op":"test","path":"/baz","value":"bar"}]""")]
    [InlineData("""[{"op":"add","path":"/a/b/c","value":1}]""")]
    [InlineData("""[{"op":"remove","path":"/nothing"}]""")]
    [InlineData("""[{"op":"replace","path":"/nothing","value":1}]""")]
    [InlineData("""[{"op":"move","from":"/baz","path":"/baz/a"}]""")]
    [InlineData("""[{"op":"add","path":"/list/9","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/list/01","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/list"}]""")]
    [InlineData("""[{"op":"fly","path":"/list"}]""")]
    [InlineData("""[{"op":"replace","path":"","value":1}]""")]
    [InlineData("""[1]""")]
    public void A_json_patch_that_cannot_be_done_is_422(string patch) =>
        Assert.Equal(422, JsonPatch.Apply(Parse("""{"baz":"qux","list":[]}"""), (JsonArray)JsonNode.Parse(patch)!).Refusal!.Code);

    [Fact]
    [Trait("Row", "REL-A08")]
    [Trait("Row", "REL-A09")]
    public void Copies_that_double_and_endless_patches_are_413()
    {
        var doubling = new JsonArray([.. Enumerable.Range(0, 30).Select(i => (JsonNode)new JsonObject
        {
            ["op"] = "copy",
            ["from"] = "",
            ["path"] = $"/a{i}",
        })]);
        var many = new JsonArray([.. Enumerable.Repeat(0, JsonPatch.MaxOperations + 1).Select(_ => (JsonNode?)null)]);

        Assert.Equal(413, JsonPatch.Apply(Parse("""{"a":"0123456789"}"""), doubling).Refusal!.Code);
        Assert.Equal(413, JsonPatch.Apply([], many).Refusal!.Code);
    }

    /// <summary>Each step is legal, and what comes out would overflow the stack of whoever reads it.</summary>
    [Theory]
    [Trait("Row", "REL-A04")]
    [InlineData("copy")]
    [InlineData("move")]
    public void A_json_patch_cannot_dig_deeper_than_a_body_may_be(string op)
    {
        var steps = Enumerable.Range(0, 100).SelectMany(i => new JsonNode?[]
        {
            new JsonObject { ["op"] = "add", ["path"] = $"/b{i + 1}", ["value"] = new JsonObject() },
            new JsonObject { ["op"] = op, ["from"] = $"/b{i}", ["path"] = $"/b{i + 1}/a" },
        });

        var refusal = JsonPatch.Apply(Parse("""{"b0":{}}"""), new JsonArray([.. steps])).Refusal!;

        Assert.Equal((422, true), (refusal.Code, refusal.Message.EndsWith("deeper than 64", StringComparison.Ordinal)));
    }

    [Theory]
    [Trait("Row", "SVC-B9")]
    [InlineData("""{"ports":[{"port":80},{"port":81}]}""", """{"ports":[{"port":81,"name":"b"}]}""", """{"ports":[{"port":80},{"port":81,"name":"b"}]}""")]
    [InlineData("""{"ports":[{"port":80}]}""", """{"$setElementOrder/ports":[{"port":81}],"ports":[{"port":81},{"$patch":"delete","port":80}]}""", """{"ports":[{"port":81}]}""")]
    [InlineData("""{"ports":[{"port":80},{"port":81}]}""", """{"$setElementOrder/ports":[{"port":81},{"port":80}]}""", """{"ports":[{"port":81},{"port":80}]}""")]
    [InlineData("""{"ports":[{"port":80}]}""", """{"ports":[{"$patch":"replace"},{"port":1}]}""", """{"ports":[{"port":1}]}""")]
    [InlineData("""{"selector":{"a":"b"}}""", """{"selector":{"a":null,"c":"d"}}""", """{"selector":{"c":"d"}}""")]
    [InlineData("""{"selector":{"a":"b"}}""", """{"selector":{"$patch":"replace","c":"d"}}""", """{"selector":{"c":"d"}}""")]
    [InlineData("""{"externalIPs":["1.1.1.1"]}""", """{"externalIPs":["2.2.2.2"]}""", """{"externalIPs":["2.2.2.2"]}""")]
    [InlineData("""{"type":"NodePort","clusterIP":"a"}""", """{"$retainKeys":["type"],"type":"ClusterIP"}""", """{"type":"ClusterIP"}""")]
    public void A_strategic_patch_merges_lists_by_their_key(string spec, string patch, string expected) =>
        Assert.Equal(
            expected,
            StrategicMergePatch.Apply(new() { ["spec"] = Parse(spec) }, new() { ["spec"] = Parse(patch) }, Service).Value!["spec"]!.ToJsonString());

    [Fact]
    [Trait("Row", "SVC-B9")]
    public void Lists_of_primitives_are_sets_in_a_strategic_patch()
    {
        var document = Parse("""{"metadata":{"finalizers":["a","b"]}}""");

        var added = StrategicMergePatch.Apply(document, Parse("""{"metadata":{"finalizers":["c","a"]}}"""), Pod).Value!;
        Assert.Equal("""["a","b","c"]""", added["metadata"]!["finalizers"]!.ToJsonString());

        var removed = StrategicMergePatch.Apply(added, Parse("""{"metadata":{"$deleteFromPrimitiveList/finalizers":["b"]}}"""), Pod).Value!;
        Assert.Equal("""["a","c"]""", removed["metadata"]!["finalizers"]!.ToJsonString());
    }

    [Fact]
    public void Containers_and_their_ports_are_merged_by_name_and_number()
    {
        var pod = Parse("""{"spec":{"containers":[{"name":"a","ports":[{"containerPort":1}]},{"name":"b"}]}}""");

        var patched = StrategicMergePatch.Apply(
            pod, Parse("""{"spec":{"containers":[{"name":"a","image":"x","ports":[{"containerPort":2}]}]}}"""), Pod).Value!;

        Assert.Equal(
            """{"containers":[{"name":"a","ports":[{"containerPort":1},{"containerPort":2}],"image":"x"},{"name":"b"}]}""",
            patched["spec"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"spec":{"ports":[{"name":"no key"}]}}""")]
    [InlineData("""{"spec":{"ports":["text"]}}""")]
    [InlineData("""{"spec":{"$patch":"explode"}}""")]
    public void A_malformed_strategic_patch_is_400(string patch) =>
        Assert.Equal(400, StrategicMergePatch.Apply(Parse("""{"spec":{"ports":[]}}"""), Parse(patch), Service).Refusal!.Code);

    [Theory]
    [InlineData("""{"spec":{"ports":[{"port":53,"port":54}],"ports":[]}}""")]
    [InlineData("""{"metadata":{"a":1,"a":2},"spec":{"ports":[{"port":53,"protocol":"UDP","port":53}]}}""")]
    [InlineData("""{"spec":""")]
    [InlineData("""[]""")]
    [InlineData("")]
    public void A_manifest_that_a_patch_carries_may_be_anything(string manifest)
    {
        var patch = Parse("""{"spec":{"ports":[{"port":53,"protocol":"TCP"}]}}""");
        patch["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["kubectl.kubernetes.io/last-applied-configuration"] = manifest } };

        var applied = StrategicMergePatch.Apply(Parse("""{"spec":{"ports":[{"port":53,"protocol":"UDP"}]}}"""), patch, Service);

        Assert.NotNull(applied.Value);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(3_000, 1)]
    [InlineData(1, 3_000)]
    [InlineData(100_000, 100_000)]
    public async Task Ports_too_many_to_compare_are_400_before_they_are_compared(int patched, int applied)
    {
        await Task.Yield(); // or there is no timeout
        var manifest = new JsonObject { ["spec"] = new JsonObject { ["ports"] = Ports(applied) } }.ToJsonString();
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["kubectl.kubernetes.io/last-applied-configuration"] = manifest } },
            ["spec"] = new JsonObject { ["ports"] = Ports(patched) },
        };

        var refusal = StrategicMergePatch.Apply(Parse("""{"spec":{"ports":[]}}"""), patch, Service).Refusal!;

        Assert.Equal((400, true), (refusal.Code, refusal.Message.EndsWith("a list has more than 2000 items", StringComparison.Ordinal)));
    }

    private static JsonArray Ports(int count) => [.. Enumerable.Range(1, count).Select(port => new JsonObject { ["port"] = port })];

    /// <summary>RFC 7386 as a property: applying a patch twice is applying it once.</summary>
    [Fact]
    public void A_merge_patch_is_idempotent() => Documents.Select(Documents).Sample((target, patch) =>
    {
        var once = MergePatch.Apply(JsonNode.Parse(target), JsonNode.Parse(patch))!.ToJsonString();
        return MergePatch.Apply(JsonNode.Parse(once), JsonNode.Parse(patch))!.ToJsonString() == once;
    });

    [Fact]
    public void The_generated_patches_reach_removals_and_nested_changes()
    {
        var removals = 0;
        var nested = 0;
        Documents.Select(Documents).Sample(
            (target, patch) =>
            {
                removals += patch.Contains("null", StringComparison.Ordinal) && target.Length > 2 ? 1 : 0;
                nested += patch.Contains(":{\"", StringComparison.Ordinal) ? 1 : 0;
            },
            iter: 200,
            threads: 1);
        Assert.True(removals > 10 && nested > 10, $"{removals} removals, {nested} nested");
    }

    private static Gen<string> Documents { get; } = Members(Gen.OneOf(
        OneOf("null", "1", "\"x\"", "[1]"),
        Members(OneOf("null", "2", "{}"))));

    private static Gen<string> Members(Gen<string> value) => Gen.Select(OneOf("a", "b", "c"), value)
        .Array[0, 4]
        .Select(members => $"{{{string.Join(",", members.DistinctBy(member => member.Item1).Select(member => $"\"{member.Item1}\":{member.Item2}"))}}}");

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;
}
