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

        foreach (var path in new[] { Services, "/api", "/version", "/openapi/v3", "/nothing" })
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
}
