using System.Text.Json.Nodes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What whoever applies an Ingress of another controller is told.</summary>
public sealed class IngressWarningTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses?dryRun=All";

    private const string Services = "/api/v1/namespaces/default/services?dryRun=All";

    [Theory(Timeout = 30_000)]
    [InlineData("nginx.ingress.kubernetes.io/rewrite-target")]
    [InlineData("nginx.org/rewrites")]
    [InlineData("traefik.ingress.kubernetes.io/router.tls")]
    [InlineData("traefik.example")]
    [InlineData("haproxy.org/timeout-server")]
    [InlineData("haproxy-ingress.github.io/balance-algorithm")]
    [InlineData("haproxy.example")]
    [InlineData("alb.ingress.kubernetes.io/target-type")]
    [InlineData("konghq.com/strip-path")]
    [InlineData("nginx.ingress.kubernetes.io/force-ssl-redirect", "; mesh.internal/ssl-redirect is")]
    [InlineData("nginx.ingress.kubernetes.io/ssl-redirect", "; mesh.internal/ssl-redirect is")]
    public async Task An_annotation_of_another_controller_is_warned_of_by_its_name(string annotation, string instead = "")
    {
        foreach (var warnings in new[] { await IngressAsync((annotation, "x")), await ServiceAsync((annotation, "x")) })
        {
            Assert.Equal([$"299 - \"metadata.annotations[{annotation}] is stored, and not served in this version{instead}\""], warnings);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Many_are_named_up_to_a_number_and_then_counted()
    {
        var warnings = await IngressAsync([.. Enumerable.Range(0, 52).Select(i => ($"nginx.ingress.kubernetes.io/any-{i:00}", "x"))]);

        Assert.Equal(31, warnings.Count);
        Assert.Contains("any-29]", warnings[29], StringComparison.Ordinal);
        Assert.Equal("299 - \"metadata.annotations: and 22 more of other controllers: each is stored, and not served in this version\"", warnings[30]);
    }

    [Fact(Timeout = 30_000)]
    public async Task One_that_asks_for_protection_says_first_that_nothing_is_routed_or_that_everybody_is_let_in()
    {
        var asked = ("nginx.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8");

        var closed = await IngressAsync(asked);
        var opened = await IngressAsync(asked, ("mesh.internal/route-unprotected", "true"));

        Assert.Equal(2, closed.Count);
        Assert.Equal(
            "299 - \"this Ingress is not routed: nginx.ingress.kubernetes.io/whitelist-source-range is not enforced in this version; "
            + "annotation mesh.internal/route-unprotected: \\\"true\\\" routes it without\"",
            closed[0]);
        Assert.Equal(
            "299 - \"this Ingress is routed to everybody, as mesh.internal/route-unprotected says: nginx.ingress.kubernetes.io/whitelist-source-range is not enforced in this version\"",
            opened[0]);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("mesh.internal/route-unprotected")]
    [InlineData("mesh.internal/ssl-redirect")]
    public async Task A_choice_of_Meshs_own_is_true_or_false(string annotation)
    {
        var answer = await SendAsync(Ingresses, Spec("/"), (annotation, "yes"));

        Assert.Equal((422, "Invalid"), (answer.Code, answer.Reason));
        Assert.Equal([$"FieldValueNotSupported metadata.annotations[{annotation}]"], answer.Causes);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("/shop(/|$)(.*)", "looks like a regular expression and is matched literally, character by character: /shop(/|$)(.*)")]
    [InlineData("/v[0-9]+", "looks like a regular expression and is matched literally, character by character: /v[0-9]+")]
    [InlineData("/a.+", "looks like a regular expression and is matched literally, character by character: /a.+")]
    [InlineData("/a$", "looks like a regular expression and is matched literally, character by character: /a$")]
    [InlineData("/shop/*", "ends in /* and is matched literally: pathType Prefix with \\\"/shop\\\" matches everything below")]
    [InlineData("/*", "ends in /* and is matched literally: pathType Prefix with \\\"/\\\" matches everything below")]
    [InlineData("/shop", null)]
    [InlineData("/shop.html", null)]
    [InlineData("/$metadata", null)]
    [InlineData("/c++/~user/a-b_c;v=1,2@x:y!", null)]
    public async Task A_path_that_is_meant_as_a_pattern_is_warned_of(string path, string? warning)
    {
        var answer = await SendAsync(Ingresses, Spec(path));

        Assert.Equal(201, answer.Code);
        Assert.Equal(warning is null ? [] : [$"299 - \"spec.rules[0].http.paths[0].path {warning}\""], answer.Warnings);
    }

    private static JsonNode Spec(string path)
    {
        var spec = JsonNode.Parse("""{"rules":[{"http":{"paths":[{"pathType":"ImplementationSpecific","backend":{"service":{"name":"a","port":{"number":80}}}}]}}]}""")!;
        spec["rules"]![0]!["http"]!["paths"]![0]!["path"] = path;
        return spec;
    }

    private async Task<IReadOnlyList<string>> IngressAsync(params (string, string)[] annotations) =>
        (await SendAsync(Ingresses, Spec("/"), annotations)).Warnings;

    private async Task<IReadOnlyList<string>> ServiceAsync(params (string, string)[] annotations) =>
        (await SendAsync(Services, JsonNode.Parse("""{"ports":[{"port":80}],"selector":{"a":"b"}}""")!, annotations)).Warnings;

    private Task<Answer> SendAsync(string path, JsonNode spec, params (string Name, string Value)[] annotations)
    {
        var map = new JsonObject(annotations.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Name, pair.Value)));
        var document = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "other", ["annotations"] = map }, ["spec"] = spec };
        return host.Http.SendAsync("POST", path, document.ToJsonString());
    }
}
