using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>What a client is told when there is nowhere to go.</summary>
public sealed class RefusalTests
{
    private const int Limit = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-B05")]
    public async Task Each_reason_is_said_in_words_that_help()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("a", ready: false), backend.Pod("b", ready: false)]);
        host.Routes.Service("lonely", "127.97.0.2", 80);
        host.Routes.Service("odd", "127.97.0.3", 81, backend.Pod("c"));
        host.Routes.Ingress("more", "more.test", ("/lonely", "Prefix", "lonely"), ("/missing", "Prefix", "missing"), ("/odd", "Prefix", "odd"));

        await AnswersAsync("app.test", "/", 503, "NoReadyEndpoints: Service default/web: 0 of 2 Pods ready\n");
        await AnswersAsync("more.test", "/lonely", 503, "NoEndpoints: Service default/lonely: no Pod matches app=lonely\n");
        await AnswersAsync("more.test", "/missing", 503, "ServiceNotFound: Service default/missing does not exist\n");
        await AnswersAsync("more.test", "/odd", 503, "ServicePortNotFound: Service default/odd has no port 80; it has 81 (http)\n");
        await AnswersAsync("app.tset", "/", 404, "NoMatchingHost: no rule for host app.tset; nearest app.test; there are rules for app.test, more.test\n");
        await AnswersAsync("more.test", "/lonly", 404, "NoMatchingPath: no rule for path /lonly of host more.test; nearest /lonely\n");
        Assert.Equal("", backend.Received);

        async Task AnswersAsync(string name, string path, int status, string body)
        {
            var answer = await host.AskAsync($"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n", Stop);
            Assert.Equal((status, body), (answer!.Status, answer.Body));
            Assert.NotNull(answer.Header("X-Request-ID"));
            Assert.Equal("text/plain; charset=utf-8", answer.Header("Content-Type"));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_host_without_a_rule_is_told_five_that_have_one()
    {
        await using var host = await GatewayHost.StartAsync([]);
        foreach (var name in new[] { "zeta.test", "*.wild.test", "b.test", "a.test", "c.test", "d.test" })
        {
            host.Routes.Ingress(name.Trim('*', '.').Replace('.', '-'), name, ("/", "Prefix", "web"));
        }

        Assert.Equal(
            "NoMatchingHost: no rule for host other.example; there are rules for *.wild.test, a.test, app.test, b.test, c.test and 2 more\n",
            (await host.AskAsync("GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", Stop))!.Body);
    }

    [Theory(Timeout = Limit)]
    [InlineData("X-Forwarded-For: 203.0.113.7")]
    [InlineData("Forwarded: for=203.0.113.7")]
    [InlineData("Via: 1.1 terminator")]
    [InlineData("CDN-Loop: elsewhere")]
    public async Task Whom_another_proxy_speaks_for_is_told_no_hosts(string field)
    {
        await using var host = await GatewayHost.StartAsync([]);

        Assert.Equal(
            "NoMatchingHost: no rule for host other.example\n",
            (await host.AskAsync($"GET / HTTP/1.1\r\nHost: other.example\r\n{field}\r\n\r\n", Stop))!.Body);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-B05")]
    public async Task A_Service_is_reached_again_with_its_first_ready_endpoint_on_the_same_connection()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(503, (await client.AnswerAsync(Stop))!.Status);

        host.Routes.Service("web", "127.97.0.1", 80, backend.Pod("web-1"));

        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
    }

    [Fact(Timeout = Limit)]
    public async Task Requests_over_the_limit_are_told_to_come_again()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await held.Task;
            await connection.SendAsync(RecordingBackend.Ok);
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], new IngressOptions { MaxActiveRequests = 1 });
        using var first = await host.ConnectAsync(Stop);
        await first.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        await backend.AcceptedAsync(Stop);

        var answer = await host.AskAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal((503, "1"), (answer!.Status, answer.Header("Retry-After")));
        held.SetResult();
        Assert.Equal(200, (await first.AnswerAsync(Stop))!.Status);
    }
}
