using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Who is answered, and when.</summary>
public sealed class AccessTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Services = "/api/v1/namespaces/default/services";

    [Theory(Timeout = 30_000)]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("wrong-token-of-nobody")]
    public async Task Without_the_token_nothing_is_told_but_health(string? token)
    {
        using var http = host.NewClient(null);
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", token is null ? null : $"Bearer {token}");

        foreach (var path in new[] { Services, "/api", "/version", "/openapi/v2", "/openapi/v3", "/nothing" })
        {
            var answer = await http.SendAsync("GET", path);
            Assert.Equal((401, "Unauthorized"), (answer.Code, answer.Reason));
        }

        Assert.Equal(200, (await http.SendAsync("GET", "/livez")).Code);
        Assert.Equal(200, (await http.SendAsync("GET", "/healthz")).Code);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-G8")]
    public async Task Readiness_is_the_hosts_word()
    {
        host.NotReady = "the node has no snapshot yet";
        var waiting = await host.Http.SendAsync("GET", "/readyz");
        host.NotReady = null;

        Assert.Equal((503, "not ready: the node has no snapshot yet"), (waiting.Code, waiting.Body!.GetValue<string>()));
        Assert.Equal("ok", (await host.Http.SendAsync("GET", "/readyz")).Body!.GetValue<string>());
    }

    [Theory(Timeout = 30_000)]
    [InlineData("Impersonate-User", "bob")]
    [InlineData("impersonate-user", "")]
    [InlineData("Impersonate-Group", "system:masters")]
    [InlineData("Impersonate-Uid", "1")]
    [InlineData("Impersonate-Extra-Scopes", "view")]
    public async Task Whoever_wants_to_be_taken_for_another_user_is_refused_before_anything_happens(string header, string value)
    {
        var ns = await host.Http.NewNamespaceAsync();
        using var http = host.NewClient(ApiHost.Token);
        http.DefaultRequestHeaders.TryAddWithoutValidation(header, value);

        var requests = new[]
        {
            ("GET", "/api"), ("GET", "/apis"), ("GET", "/version"), ("GET", "/openapi/v3"), ("GET", "/nothing"), ("GET", "/livez"),
            ("GET", Services), ("GET", $"{Services}?watch=true"), ("GET", $"{Services}/none"),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
            ("DELETE", $"/api/v1/namespaces/{ns}"), ("PATCH", $"/api/v1/namespaces/{ns}"), ("POST", "/api/v1/namespaces"),
        };
        foreach (var (method, path) in requests)
        {
            var answer = await http.SendAsync(method, path, method == "GET" ? null : """{"metadata":{"name":"as-bob"}}""");
            Assert.Equal((path, 403, "Forbidden", "impersonation is not in this version"), (path, answer.Code, answer.Reason, answer.Message));
        }

        var kept = await host.Http.SendAsync("GET", $"/api/v1/namespaces/{ns}");
        Assert.Equal((200, "Active"), (kept.Code, kept.Body!["status"]!["phase"]!.GetValue<string>()));
        Assert.Equal(404, (await host.Http.SendAsync("GET", "/api/v1/namespaces/as-bob")).Code);
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_the_token_a_stranger_does_not_learn_that_impersonation_is_refused()
    {
        using var http = host.NewClient(null);
        http.DefaultRequestHeaders.Add("Impersonate-User", "admin");

        Assert.Equal(401, (await http.SendAsync("GET", Services)).Code);
    }
}
