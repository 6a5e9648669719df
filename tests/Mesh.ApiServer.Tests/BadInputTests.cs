using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class BadInputTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Services = "/api/v1/namespaces/default/services";

    private const string Valid = """{"metadata":{"name":"a"},"spec":{"ports":[{"port":80}],"selector":{"a":"b"}}}""";
    private const string Named = """{"metadata":{"name":"a"}}""";

    [Theory(Timeout = 30_000)]
    [Trait("Row", "REL-A04")]
    [Trait("Row", "REL-A10")]
    [Trait("Row", "REL-A11")]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("", "not valid JSON")]
    [InlineData("{}{}", "not valid JSON")]
    [InlineData("\uFEFF{}", "not valid JSON")]
    [InlineData("""{"metadata":{"name":"\ud800"}}""", "not valid JSON")]
    [InlineData("""{"spec":{"ports":[{"port":NaN}]}}""", "not valid JSON")]
    [InlineData("""{"spec":{"ports":[{"port":1e400}]}}""", "cannot be handled as a Service")]
    [InlineData("""{"spec":{"ports":[{"port":4294967376}]}}""", "cannot be handled as a Service")]
    [InlineData("""{"spec":{"ports":[{"port":"80"}]}}""", "cannot unmarshal string into spec.ports[0].port of type int32")]
    [InlineData("""{"spec":{"ports":{"port":80}}}""", "cannot unmarshal object into spec.ports of type array")]
    [InlineData("""{"spec":{"ports":[null]}}""", "spec.ports[0]: null is not allowed in a list")]
    [InlineData("""{"kind":"Pod","metadata":{"name":"a"}}""", "cannot be handled as a Service")]
    [InlineData("""{"apiVersion":"apps/v1","metadata":{"name":"a"}}""", "does not match the expected API version (v1)")]
    [InlineData("""{"metadata":{"name":"a","namespace":"other"}}""", "the namespace of the provided object does not match")]
    [InlineData("""{"metadata":{"name":"a","resourceVersion":"1"}}""", "resourceVersion should not be set")]
    public async Task A_malformed_object_is_400_with_a_sentence_and_changes_nothing(string body, string sentence)
    {
        var answer = await host.Http.SendAsync("POST", Services, body);

        Assert.Equal((400, "BadRequest"), (answer.Code, answer.Reason));
        Assert.Contains(sentence, answer.Message, StringComparison.Ordinal);
        Assert.Equal("application/json", answer.ContentHeaders.ContentType!.MediaType);
        Assert.DoesNotContain((await host.Http.SendAsync("GET", Services)).Body!["items"]!.AsArray(), service => (string?)service!["metadata"]!["name"] != "kubernetes");
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "REL-A04")]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public async Task Nesting_is_bounded(int depth)
    {
        var body = string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);

        Assert.Equal(400, (await host.Http.SendAsync("POST", Services, body)).Code);
        Assert.Equal(400, (await host.Http.SendAsync("POST", Services, new string('[', depth))).Code);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A01")]
    public async Task A_body_over_three_mebibytes_is_413()
    {
        var answer = await host.Http.SendAsync("POST", Services, new string(' ', ApiOptions.MaxBodyBytes + 1));

        Assert.Equal((413, "RequestEntityTooLarge"), (answer.Code, answer.Reason));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A03")]
    public async Task A_compressed_body_is_415_before_it_is_inflated()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[10_000_000], TestContext.Current.CancellationToken);
        }

        using var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        using var response = await host.Http.PostAsync(Services, content, TestContext.Current.CancellationToken);

        Assert.Equal(415, (int)response.StatusCode);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-B6")]
    [Trait("Row", "REL-A07")]
    public async Task Unknown_and_duplicate_fields_are_refused_warned_of_or_dropped_as_asked()
    {
        const string Body = """{"metadata":{"name":"strict"},"spec":{"foo":1,"type":"ClusterIP","type":"ClusterIP","ports":[{"port":80,"bar":{}}],"selector":{"a":"b"}}}""";

        var strict = await host.Http.SendAsync("POST", $"{Services}?fieldValidation=Strict&dryRun=All", Body);
        var warned = await host.Http.SendAsync("POST", $"{Services}?dryRun=All", Body);
        var ignored = await host.Http.SendAsync("POST", $"{Services}?fieldValidation=Ignore&dryRun=All", Body);

        Assert.Equal(400, strict.Code);
        Assert.EndsWith(
            "strict decoding error: unknown field \"spec.foo\", unknown field \"spec.ports[0].bar\", duplicate field \"spec.type\"",
            strict.Message,
            StringComparison.Ordinal);
        Assert.Equal(
            ["299 - \"unknown field \\\"spec.foo\\\"\"", "299 - \"unknown field \\\"spec.ports[0].bar\\\"\"", "299 - \"duplicate field \\\"spec.type\\\"\""],
            warned.Warnings);
        Assert.Equal((201, 0), (ignored.Code, ignored.Warnings.Count));
        Assert.Null(ignored.Body!["spec"]!["foo"]);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A07")]
    public async Task Yaml_is_held_to_the_same_rules()
    {
        const string Body = "metadata: {name: strict}\nspec:\n  foo: 1\n  type: ClusterIP\n  type: ClusterIP\n  ports: [{port: 80}]\n";

        var strict = await host.Http.SendAsync("POST", $"{Services}?fieldValidation=Strict&dryRun=All", Body, "application/yaml");
        var wrong = await host.Http.SendAsync("POST", $"{Services}?dryRun=All", Body.Replace("80", "'80'", StringComparison.Ordinal), "application/yaml");

        Assert.EndsWith("strict decoding error: unknown field \"spec.foo\", duplicate field \"spec.type\"", strict.Message, StringComparison.Ordinal);
        Assert.Contains("cannot unmarshal string into spec.ports[0].port", wrong.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A17")]
    public async Task Selectors_have_a_limit()
    {
        var most = string.Join(",", Enumerable.Range(0, 64).Select(i => $"k{i}"));

        Assert.Equal(200, (await host.Http.SendAsync("GET", $"{Services}?labelSelector={most}")).Code);
        Assert.Equal(400, (await host.Http.SendAsync("GET", $"{Services}?labelSelector={most},k64")).Code);
        Assert.Equal(400, (await host.Http.SendAsync("GET", $"{Services}?labelSelector={most}&fieldSelector=metadata.name%3Da")).Code);
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "REL-A17")]
    [Trait("Row", "REL-A18")]
    [Trait("Row", "REL-A22")]
    [Trait("Row", "SVC-B5")]
    [InlineData("POST", Services + "?dryRun=Some", 422)]
    [InlineData("POST", Services + "?fieldValidation=Loud", 422)]
    [InlineData("GET", Services + "?limit=-1", 400)]
    [InlineData("GET", Services + "?limit=x", 400)]
    [InlineData("GET", Services + "?continue=garbage", 410)]
    [InlineData("GET", Services + "?resourceVersion=x", 400)]
    [InlineData("GET", Services + "?resourceVersionMatch=Exact", 422)]
    [InlineData("GET", Services + "?resourceVersion=0&resourceVersionMatch=Exact", 422)]
    [InlineData("GET", Services + "?watch=true&sendInitialEvents=true", 422)]
    [InlineData("GET", Services + "?labelSelector=a%20in%20b", 400)]
    [InlineData("GET", Services + "?labelSelector=,", 400)]
    [InlineData("GET", Services + "?fieldSelector=spec.foo%3D1", 400)]
    [InlineData("GET", "/api/v1/namespaces/default/nonsense", 404)]
    [InlineData("GET", Services + "/missing", 404)]
    [InlineData("GET", Services + "/..%2f..%2fetc", 404)]
    [InlineData("DELETE", Services + "/-a", 404)]
    [InlineData("PUT", Services, 405)]
    [InlineData("POST", "/api/v1/nodes", 405)]
    [InlineData("PATCH", Services + "/a/status", 405)]
    public async Task What_cannot_be_asked_is_refused(string method, string path, int code)
    {
        var answer = await host.Http.SendAsync(method, path, method == "GET" ? null : Valid);

        Assert.Equal(code, answer.Code);
        Assert.Equal("Failure", answer.Body!["status"]!.GetValue<string>());
        Assert.Equal(code, answer.Body["code"]!.GetValue<int>());
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-B8")]
    [InlineData("POST", "application/x-www-form-urlencoded")]
    [InlineData("POST", "text/plain")]
    [InlineData("PATCH", "application/json")]
    [InlineData("PATCH", "application/apply-patch+yaml")]
    public async Task A_body_of_another_type_is_415(string method, string type)
    {
        var path = method == "POST" ? Services : $"{Services}/a";

        Assert.Equal(415, (await host.Http.SendAsync(method, path, Valid, type)).Code);
    }

    [Fact(Timeout = 30_000)]
    public async Task Only_json_is_spoken()
    {
        Assert.Equal(406, (await host.Http.SendAsync("GET", Services, accept: "application/vnd.kubernetes.protobuf")).Code);
        Assert.Equal(200, (await host.Http.SendAsync("GET", Services, accept: "application/vnd.kubernetes.protobuf, application/json")).Code);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("services")]
    [InlineData("configmaps")]
    [InlineData("configmaps?dryRun=All")]
    public async Task An_object_of_a_missing_namespace_is_refused_naming_the_namespace(string path)
    {
        var answer = await host.Http.SendAsync("POST", $"/api/v1/namespaces/nowhere/{path}", path == "services" ? Valid : Named);

        Assert.Equal((404, "namespaces \"nowhere\" not found"), (answer.Code, answer.Message));
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-B15")]
    [InlineData("services")]
    [InlineData("configmaps")]
    [InlineData("configmaps?dryRun=All")]
    public async Task A_terminating_namespace_takes_no_new_objects(string path)
    {
        var ns = await host.Http.NewNamespaceAsync();
        var deleted = await host.Http.SendAsync("DELETE", $"/api/v1/namespaces/{ns}");

        var answer = await host.Http.SendAsync("POST", $"/api/v1/namespaces/{ns}/{path}", path == "services" ? Valid : Named);

        Assert.Equal("Terminating", deleted.Body!["status"]!["phase"]!.GetValue<string>());
        Assert.Equal((403, "Forbidden"), (answer.Code, answer.Reason));
        Assert.Equal(["NamespaceTerminating metadata.namespace"], answer.Causes);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_namespaces_of_the_cluster_stay()
    {
        var answer = await host.Http.SendAsync("DELETE", "/api/v1/namespaces/default");

        Assert.Equal((403, "namespaces \"default\" is forbidden: this namespace may not be deleted"), (answer.Code, answer.Message));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A14")]
    public async Task Bad_names_are_422_with_their_field()
    {
        foreach (var name in new[] { "", "A", "a_b", "..", "-a", new string('a', 64), "ü" })
        {
            var body = Valid.Replace("\"a\"", $"\"{name}\"", StringComparison.Ordinal);
            var answer = await host.Http.SendAsync("POST", Services, body);
            Assert.Equal((422, "Invalid"), (answer.Code, answer.Reason));
            Assert.Contains(answer.Causes, cause => cause.EndsWith(" metadata.name", StringComparison.Ordinal));
        }
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A16")]
    public async Task Labels_and_annotations_have_limits()
    {
        var annotations = new string('x', (256 * 1024) + 1);
        var body = $$"""{"metadata":{"name":"a","labels":{"{{new string('k', 64)}}":"v","k":"{{new string('v', 64)}}"},"annotations":{"a":"{{annotations}}"} },"spec":{"ports":[{"port":80}]} }""";

        var answer = await host.Http.SendAsync("POST", Services, body);

        Assert.Equal(
            ["FieldValueInvalid metadata.labels", "FieldValueInvalid metadata.labels", "FieldValueTooLong metadata.annotations"],
            answer.Causes);
    }

    [Fact(Timeout = 30_000)]
    public async Task Bytes_that_are_not_utf8_are_400()
    {
        using var content = new ByteArrayContent([.. "{\"metadata\":{\"name\":\""u8, 0xFF, .. "\"}}"u8]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await host.Http.PostAsync(Services, content, TestContext.Current.CancellationToken);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains("not valid UTF-8", Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)), StringComparison.Ordinal);
    }
}
