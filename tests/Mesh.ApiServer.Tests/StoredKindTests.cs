using System.Text.Json.Nodes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>ConfigMaps, Secrets, ServiceAccounts, IngressClasses and Leases: what may be in them, and what becomes of it.</summary>
public sealed class StoredKindTests(ApiHost host) : IClassFixture<ApiHost>
{
    private static readonly Dictionary<string, string> Collections = new()
    {
        ["ConfigMap"] = "/api/v1/namespaces/default/configmaps",
        ["Secret"] = "/api/v1/namespaces/default/secrets",
        ["ServiceAccount"] = "/api/v1/namespaces/default/serviceaccounts",
        ["IngressClass"] = "/apis/networking.k8s.io/v1/ingressclasses",
        ["Lease"] = "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    };

    [Theory(Timeout = 60_000)]
    [InlineData("Secret", """ "data":{"a":"not base64!"} """, 400, "")]
    [InlineData("Secret", """ "data":{"a":"YQ"} """, 400, "")]
    [InlineData("Secret", """ "data":{"a b":"YQ=="} """, 422, "data[a b]")]
    [InlineData("Secret", """ "data":{"..a":"YQ=="} """, 422, "data[..a]")]
    [InlineData("Secret", """ "stringData":{"a/b":"x"} """, 422, "data[a/b]")]
    [InlineData("Secret", """ "type":"kubernetes.io/tls","data":{"tls.crt":"YQ=="} """, 422, "data[tls.key]")]
    [InlineData("Secret", """ "type":"kubernetes.io/tls" """, 422, "data[tls.crt] data[tls.key]")]
    [InlineData("Secret", """ "type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"{"} """, 422, "data[.dockerconfigjson]")]
    [InlineData("Secret", """ "type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"{\"auths\":{}}"} """, 201, "")]
    [InlineData("Secret", """ "type":"kubernetes.io/dockercfg" """, 422, "data[.dockercfg]")]
    [InlineData("Secret", """ "type":"kubernetes.io/basic-auth","stringData":{"other":"x"} """, 422, "data[username] data[password]")]
    [InlineData("Secret", """ "type":"kubernetes.io/basic-auth","stringData":{"username":"x"} """, 201, "")]
    [InlineData("Secret", """ "type":"kubernetes.io/ssh-auth","stringData":{"ssh-privatekey":""} """, 422, "data[ssh-privatekey]")]
    [InlineData("Secret", """ "type":"kubernetes.io/service-account-token" """, 422, "metadata.annotations[kubernetes.io/service-account.name]")]
    [InlineData("Secret", """ "type":"example.com/own","stringData":{"a":"x"} """, 201, "")]
    [InlineData("ConfigMap", """ "data":{"a":"x"},"binaryData":{"a":"YQ=="} """, 422, "data[a]")]
    [InlineData("ConfigMap", """ "data":{".":"x"} """, 422, "data[.]")]
    [InlineData("ConfigMap", """ "data":{"a":1} """, 400, "")]
    [InlineData("ConfigMap", """ "binaryData":{"a":"?"} """, 400, "")]
    [InlineData("ConfigMap", """ "data":{"game.properties":"a=b\nc=d","KEY_1":""},"binaryData":{"b":"AAE="} """, 201, "")]
    [InlineData("IngressClass", """ "spec":{"controller":"nginx"} """, 422, "spec.controller")]
    [InlineData("IngressClass", """ "spec":{} """, 422, "spec.controller")]
    [InlineData("IngressClass", """ "spec":{"controller":"k8s.io/ingress-nginx"} """, 201, "")]
    [InlineData("IngressClass", """ "spec":{"controller":"a.b/c","parameters":{"kind":"P"}} """, 422, "spec.parameters.name")]
    [InlineData("IngressClass", """ "spec":{"controller":"a.b/c","parameters":{"kind":"P","name":"p","scope":"Namespace"}} """, 422, "spec.parameters.namespace")]
    [InlineData("IngressClass", """ "spec":{"controller":"a.b/c","parameters":{"kind":"P","name":"p","namespace":"n"}} """, 422, "spec.parameters.namespace")]
    [InlineData("IngressClass", """ "spec":{"controller":"a.b/c","parameters":{"kind":"P","name":"p","scope":"World"}} """, 422, "spec.parameters.scope")]
    [InlineData("Lease", """ "spec":{"leaseDurationSeconds":0} """, 422, "spec.leaseDurationSeconds")]
    [InlineData("Lease", """ "spec":{"leaseTransitions":-1} """, 422, "spec.leaseTransitions")]
    [InlineData("Lease", """ "spec":{"holderIdentity":"me","leaseDurationSeconds":15,"renewTime":"2026-01-02T03:04:05.123456Z"} """, 201, "")]
    [InlineData("ServiceAccount", """ "automountServiceAccountToken":false,"imagePullSecrets":[{"name":"x"}] """, 201, "")]
    public async Task An_object_is_taken_or_refused_by_its_field(string kind, string members, int code, string fields)
    {
        var answer = await host.Http.SendAsync("POST", Collections[kind], $$"""{"metadata":{"generateName":"x-"},{{members}}}""");

        Assert.Equal((code, fields), (answer.Code, string.Join(' ', answer.Causes.Select(cause => cause.Split(' ', 2)[1]))));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("Secret", "data")]
    [InlineData("ConfigMap", "")]
    public async Task More_than_one_mebibyte_is_refused_and_one_is_taken(string kind, string field)
    {
        string Body(int size) => $$$"""{"metadata":{"generateName":"x-"},"data":{"a":"{{{(kind == "Secret" ? Convert.ToBase64String(new byte[size]) : new string('x', size))}}}"}}""";

        Assert.Equal(201, (await host.Http.SendAsync("POST", Collections[kind], Body(1024 * 1024))).Code);
        var refused = await host.Http.SendAsync("POST", Collections[kind], Body((1024 * 1024) + 1));
        Assert.Equal(422, refused.Code);
        Assert.Equal([$"FieldValueTooLong {field}"], refused.Causes);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_Secret_is_given_as_text_is_merged_into_its_data_and_never_shown()
    {
        var created = await host.Http.SendAsync(
            "POST", Collections["Secret"], """{"metadata":{"name":"texts"},"data":{"a":"YQ\n==","b":"Yg=="},"stringData":{"b":"two","c":"ü"}}""");
        Assert.Equal(201, created.Code);
        Assert.Equal("""{"a":"YQ==","b":"dHdv","c":"w7w="}""", created.Body!["data"]!.ToJsonString());
        Assert.Equal("Opaque", (string?)created.Body["type"]);

        var patched = await host.Http.SendAsync(
            "PATCH", $"{Collections["Secret"]}/texts", """{"stringData":{"a":"three"},"data":{"c":null}}""", "application/merge-patch+json");
        Assert.Equal("""{"a":"dGhyZWU=","b":"dHdv"}""", patched.Body!["data"]!.ToJsonString());
        var read = await host.Http.SendAsync("GET", $"{Collections["Secret"]}/texts");
        Assert.Null(read.Body!["stringData"]);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_type_of_a_Secret_stays_and_a_replacement_may_leave_it_out()
    {
        var path = $"{Collections["Secret"]}/typed";
        await host.Http.SendAsync("POST", Collections["Secret"], """{"metadata":{"name":"typed"},"type":"example.com/a"}""");

        var refused = await host.Http.SendAsync("PUT", path, """{"metadata":{"name":"typed"},"type":"example.com/b"}""");
        Assert.Equal((422, "FieldValueInvalid type"), (refused.Code, Assert.Single(refused.Causes)));
        var replaced = await host.Http.SendAsync("PUT", path, """{"metadata":{"name":"typed"},"stringData":{"a":"x"}}""");
        Assert.Equal((200, "example.com/a"), (replaced.Code, (string?)replaced.Body!["type"]));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("Secret")]
    [InlineData("ConfigMap")]
    public async Task What_is_immutable_keeps_its_contents_and_takes_labels(string kind)
    {
        var value = kind == "Secret" ? "YQ==" : "a";
        var path = $"{Collections[kind]}/fixed";
        var created = await host.Http.SendAsync("POST", Collections[kind], $$$"""{"metadata":{"name":"fixed"},"immutable":true,"data":{"a":"{{{value}}}"}}""");
        Assert.Equal(201, created.Code);

        var changed = await host.Http.SendAsync("PATCH", path, """{"data":{"a":"Yg=="}}""", "application/merge-patch+json");
        Assert.Equal(["FieldValueForbidden data"], changed.Causes);
        var loosened = await host.Http.SendAsync("PATCH", path, """{"immutable":false}""", "application/merge-patch+json");
        Assert.Equal(["FieldValueForbidden immutable"], loosened.Causes);
        Assert.Equal(200, (await host.Http.SendAsync("PATCH", path, """{"metadata":{"labels":{"x":"y"}}}""", "application/merge-patch+json")).Code);
        Assert.Equal(200, (await host.Http.SendAsync("DELETE", path)).Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_controller_of_an_IngressClass_stays()
    {
        await host.Http.SendAsync("POST", Collections["IngressClass"], """{"metadata":{"name":"other"},"spec":{"controller":"a.b/c"}}""");

        var refused = await host.Http.SendAsync(
            "PATCH", $"{Collections["IngressClass"]}/other", """{"spec":{"controller":"a.b/d"}}""", "application/merge-patch+json");

        Assert.Equal(["FieldValueInvalid spec.controller"], refused.Causes);
    }

    [Fact(Timeout = 60_000)]
    public async Task Options_of_a_deletion_are_read_as_protobuf()
    {
        var path = $"{Collections["Secret"]}/deleted";
        await host.Http.SendAsync("POST", Collections["Secret"], """{"metadata":{"name":"deleted"}}""");
        byte[] other = [0x08, 0, 0x12, 5, 0x0A, 3, .. "uid"u8]; // gracePeriodSeconds: 0, preconditions.uid

        Assert.Equal(409, await DeleteAsync(path, [.. "k8s\0"u8, 0x12, (byte)other.Length, .. other]));
        Assert.Equal(200, await DeleteAsync(path, [.. "k8s\0"u8, 0x12, 2, 0x08, 0]));
    }

    private async Task<int> DeleteAsync(string path, byte[] options)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, path) { Content = new ByteArrayContent(options) };
        request.Content.Headers.ContentType = new("application/vnd.kubernetes.protobuf");
        using var response = await host.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    [Fact(Timeout = 60_000)]
    public async Task A_Lease_is_taken_as_protobuf_with_its_times()
    {
        // runtime.Unknown{raw: Lease{metadata{name}, spec{holderIdentity, leaseDurationSeconds, renewTime{seconds, nanos}, leaseTransitions: 0}}}
        byte[] time = [0x08, 0xA5, 0xEB, 0xDC, 0xCA, 0x06, 0x10, 0xC0, 0x84, 0x3D];
        byte[] spec = [0x0A, 2, (byte)'m', (byte)'e', 0x10, 15, 0x22, (byte)time.Length, .. time, 0x28, 0];
        byte[] metadata = [0x0A, 5, .. "proto"u8];
        byte[] lease = [0x0A, (byte)metadata.Length, .. metadata, 0x12, (byte)spec.Length, .. spec];
        using var body = new ByteArrayContent([.. "k8s\0"u8, 0x12, (byte)lease.Length, .. lease]);
        body.Headers.ContentType = new("application/vnd.kubernetes.protobuf");
        using var response = await host.Http.PostAsync(Collections["Lease"], body, TestContext.Current.CancellationToken);

        var created = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(
            """{"holderIdentity":"me","leaseDurationSeconds":15,"renewTime":"2026-01-02T03:04:05.001000Z","leaseTransitions":0}""",
            created["spec"]!.ToJsonString());
    }
}
