using Mesh.DataPlane.Tests.Support;
using Mesh.Testing.Backends;
using Mesh.Testing.Telemetry;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>A request passes a gateway once (RFC 8586).</summary>
[Collection(nameof(Alone))]
public sealed class LoopTests
{
    private const int Limit = 30_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\nConnection: close, CDN-Loop\r\n\r\nabc")]
    public async Task A_request_that_comes_back_is_refused_at_its_second_pass(string request)
    {
        using var lines = new AccessLines();
        await using var host = await GatewayHost.StartAsync([], logs: lines);
        await using var proxy = new TcpRelay(host.Address);
        host.Routes.Service("web", "127.97.0.1", 80, new SomePod("web-1", proxy.Address));
        using var measured = new Measured(DataPlaneMetrics.MeterName);

        var answer = await host.AskAsync(request, Stop);

        Assert.Equal(508, answer!.Status);
        Assert.Equal("LoopDetected: this request has passed this gateway before: what it was forwarded to has sent it back, for Service default/web now\n", answer.Body);
        // Each pass writes its line once its answer is out, so either may come first.
        var (one, other) = (await lines.NextAsync(Stop), await lines.NextAsync(Stop));
        var (inner, outer) = (string)one["reason"]! == "-" ? (other, one) : (one, other);
        Assert.Equal((508, "LoopDetected", "default/web"), (inner["code"], inner["reason"], inner["service"]));
        Assert.Equal((508, "-", "web-1"), (outer["code"], outer["reason"], ((string)outer["pod"]!).Split('/')[1]));
        Assert.Equal(["reason=LoopDetected"], measured.Tags("mesh.forward.refusals"));
        Assert.Equal(1, proxy.Connections);
    }

    [Fact(Timeout = Limit)]
    public async Task Two_gateways_in_a_row_are_no_loop_and_two_that_send_to_each_other_are()
    {
        await using var backend = new RecordingBackend();
        await using var first = await GatewayHost.StartAsync([]);
        await using var second = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        first.Routes.Service("web", "127.97.0.1", 80, new SomePod("second", second.Address));

        Assert.Equal(200, (await first.AskAsync("GET / HTTP/1.1\r\nHost: app.test\r\nCDN-Loop: elsewhere; hops=2\r\n\r\n", Stop))!.Status);
        Assert.Equal($"elsewhere; hops=2, {first.Id}, {second.Id}", Assert.Single(backend.Requests).Header("CDN-Loop"));

        second.Routes.Service("web", "127.97.0.1", 80, new SomePod("first", first.Address));
        Assert.Equal(508, (await first.AskAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop))!.Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("ID", 508)]
    [InlineData("elsewhere,\tID", 508)]
    [InlineData("elsewhere, ID;a=b", 508)]
    [InlineData("ID2", 200)]
    [InlineData("x-ID", 200)]
    [InlineData("elsewhere; by=ID", 200)]
    [InlineData("", 200)]
    public async Task Only_its_own_name_counts_and_only_for_the_request_that_has_it(string loop, int status)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync($"GET / HTTP/1.1\r\nHost: app.test\r\nCDN-Loop: {loop.Replace("ID", host.Id, StringComparison.Ordinal)}\r\n\r\n", Stop);
        Assert.Equal(status, (await client.AnswerAsync(Stop))!.Status);

        await client.SendAsync("GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop); // on the same connection
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("POST", 1)]
    [InlineData("GET", 0)]
    [InlineData("PUT", 0)]
    public async Task Another_method_may_be_meant_by_a_POST_only(string method, int times)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        await host.AskAsync(
            $"{method} / HTTP/1.1\r\nHost: app.test\r\nX-HTTP-Method-Override: DELETE\r\nx-http-method: DELETE\r\nX-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n", Stop);

        var request = Assert.Single(backend.Requests);
        Assert.All(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"], name => Assert.Equal(times, request.All(name).Count()));
    }
}
