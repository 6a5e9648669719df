using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Mesh.Core.Names;

namespace Mesh.Storage.Tests;

public sealed class DocumentScanTests
{
    private static readonly ObjectKey Key = StoreFixture.Pod("a");

    [Theory]
    [InlineData("""{"metadata":{"resourceVersion":"1","uid":"u"},"x":1}""", """{"metadata":{"resourceVersion":"77","uid":"u"},"x":1}""")]
    [InlineData("""{"metadata":{"uid":"u","resourceVersion":""}}""", """{"metadata":{"uid":"u","resourceVersion":"77"}}""")]
    [InlineData("""{"metadata":{"resourceVersion":null}}""", """{"metadata":{"resourceVersion":"77"}}""")]
    [InlineData("""{"metadata":{"name":"a"}}""", """{"metadata":{"resourceVersion":"77","name":"a"}}""")]
    [InlineData("""{"metadata":{ }}""", """{"metadata":{"resourceVersion":"77" }}""")]
    [InlineData("""{"spec":{"resourceVersion":"1"}}""", """{"metadata":{"resourceVersion":"77"},"spec":{"resourceVersion":"1"}}""")]
    [InlineData("{}", """{"metadata":{"resourceVersion":"77"}}""")]
    [InlineData("""{"a":{"metadata":{"resourceVersion":"1"}},"metadata":{"x":{"resourceVersion":"2"}}}""", """{"a":{"metadata":{"resourceVersion":"1"}},"metadata":{"resourceVersion":"77","x":{"resourceVersion":"2"}}}""")]
    [InlineData("""{"meta\u0064ata":{"resource\u0056ersion":"1"}}""", """{"meta\u0064ata":{"resource\u0056ersion":"77"}}""")]
    [InlineData(" {\n  \"metadata\" : {\n    \"resourceVersion\" : \"1\"\n  }\n}\n", " {\n  \"metadata\" : {\n    \"resourceVersion\" : \"77\"\n  }\n}\n")]
    public void The_resourceVersion_is_put_in_place_and_every_other_byte_stays(string document, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(Scan(document).WithVersion(77)));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{"metadata":[]}""")]
    [InlineData("""{"metadata":{},"metadata":{}}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1","resourceVersion":"2"}}""")]
    [InlineData("""{"metadata":{"resourceVersion":{}}}""")]
    public void What_is_no_document_is_told(string document)
    {
        Assert.False(DocumentScan.TryRead(Key, Encoding.UTF8.GetBytes(document), out _, out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void A_document_that_is_too_deep_is_told()
    {
        var deep = Encoding.UTF8.GetBytes(new string('[', 100_000));

        Assert.False(DocumentScan.TryRead(Key, (byte[])[.. "{\"a\":"u8, .. deep], out _, out _));
    }

    [Theory]
    [InlineData("Pod", """{"metadata":{"uid":"u1"}}""", "u1", false)]
    [InlineData("Pod", """{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}""", "", true)]
    [InlineData("Pod", """{"metadata":{"deletionTimestamp":null}}""", "", false)]
    [InlineData("Pod", """{"status":{"phase":"Terminating"}}""", "", false)]
    [InlineData("Namespace", """{"status":{"phase":"Terminating"}}""", "", true)]
    [InlineData("Namespace", """{"status":{"conditions":[],"phase":"Active"}}""", "", false)]
    public void Uid_and_deletion_are_read_from_the_document(string kind, string document, string uid, bool isDeleting)
    {
        Assert.True(DocumentScan.TryRead(new ObjectKey("", kind, "", "a"), Encoding.UTF8.GetBytes(document), out var scan, out _));
        Assert.Equal((uid, isDeleting), (scan.Uid, scan.IsDeleting));
    }

    [Fact]
    public void Only_the_resourceVersion_of_any_document_changes() => Documents.Sample(document =>
    {
        var before = document.ToJsonString();
        var after = JsonNode.Parse(Scan(before).WithVersion(long.MaxValue))!;
        var expected = document.DeepClone().AsObject();
        if (expected["metadata"] is not JsonObject metadata)
        {
            expected["metadata"] = metadata = [];
        }

        metadata["resourceVersion"] = "9223372036854775807";
        Assert.True(JsonNode.DeepEquals(expected, after), $"{before} became {after.ToJsonString()}");
    });

    [Fact]
    public void The_documents_reach_every_way_of_splicing()
    {
        var seen = new HashSet<string>();
        Documents.Sample(
            document =>
            {
                lock (seen)
                {
                    seen.Add(document["metadata"] is not JsonObject metadata
                        ? document.Count == 0 ? "empty" : "no metadata"
                        : metadata.ContainsKey("resourceVersion") ? "replaced" : metadata.Count == 0 ? "empty metadata" : "added");
                }
            },
            iter: 500);

        Assert.Equal(["added", "empty", "empty metadata", "no metadata", "replaced"], seen.Order(StringComparer.Ordinal));
    }

    private static Gen<JsonObject> Documents { get; } =
        from fields in Gen.OneOf("metadata", "metadata", "spec", "resourceVersion").HashSet[0, 3]
        from inner in Gen.OneOf("resourceVersion", "uid", "metadata", "ä\"\\").HashSet[0, 3]
        select Object(fields, inner);

    private static JsonObject Object(IEnumerable<string> fields, HashSet<string> inner) =>
        new(fields.Select(field => KeyValuePair.Create<string, JsonNode?>(
            field, new JsonObject(inner.Select(name => KeyValuePair.Create<string, JsonNode?>(name, "1"))))));

    private static DocumentScan Scan(string document) =>
        DocumentScan.TryRead(Key, Encoding.UTF8.GetBytes(document), out var scan, out var problem) ? scan : throw new JsonException(problem);
}
