using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>What an endpoint gets of a request, and a client of an answer.</summary>
public sealed class ForwardingTests
{
    private const int Limit = 30_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("/a%2Fb")]
    [InlineData("/a%41/%66oo")]
    [InlineData("/x\"[]{}|\\^<>`")]
    [InlineData("/a//b")]
    [InlineData("/a;x=1/b")]
    [InlineData("/?a=%2F&b[]=1;c&d=/../e")]
    [InlineData("/%252e%252e/")]
    [InlineData("/a?")]
    [Trait("Row", "ING-N03")]
    [Trait("Row", "ING-N04")]
    [Trait("Row", "ING-N10")]
    [Trait("Row", "ING-N12")]
    [Trait("Row", "REL-H247")]
    public async Task Path_and_query_reach_the_endpoint_byte_for_byte(string target)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.Equal(200, (await host.AskAsync($"GET {target} HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop))!.Status);

        Assert.Equal($"GET {target} HTTP/1.1", Assert.Single(backend.Requests).Line);
    }

    [Theory(Timeout = Limit)]
    [InlineData("/public/../admin", "DotSegmentInPath")]
    [InlineData("/public/%2e%2e/admin", "DotSegmentInPath")]
    [InlineData("/./admin", "DotSegmentInPath")]
    [InlineData("/a/..%2fadmin", "DotSegmentInPath")]
    [InlineData("/a%zz", "MalformedRequest")]
    [InlineData("/a%", "MalformedRequest")]
    [InlineData("/%00", "MalformedRequest")]
    [InlineData("/caf\u00e9", "MalformedRequest")]
    [InlineData("/a#b", "MalformedRequest")]
    [Trait("Row", "ING-N01")]
    [Trait("Row", "ING-N05")]
    [Trait("Row", "ING-N06")]
    [Trait("Row", "ING-N08")]
    public async Task A_path_that_endpoints_may_read_otherwise_is_refused(string target, string reason)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync($"GET {target} HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);

        Assert.Equal(400, answer!.Status);
        Assert.StartsWith(reason + ": ", answer.Body, StringComparison.Ordinal);
        Assert.Equal("", backend.Received);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-F01")]
    [Trait("Row", "ING-F03")]
    [Trait("Row", "ING-F04")]
    [Trait("Row", "ING-F06")]
    [Trait("Row", "ING-F07")]
    [Trait("Row", "REL-H229")]
    [Trait("Row", "REL-H230")]
    [Trait("Row", "REL-H231")]
    [Trait("Row", "REL-H239")]
    public async Task What_only_the_gateway_may_say_is_said_by_the_gateway()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync(
            "GET / HTTP/1.1\r\nHost: App.Test:8080\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n"
            + "X-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n"
            + "X-HTTP-Method-Override: DELETE\r\nProxy: evil\r\nX_Forwarded_For: 6.6.6.6\r\nX_Auth_User: admin\r\nX-Content-Length: 5\r\nX-Request-ID: mine\r\n\r\n",
            Stop);

        var request = Assert.Single(backend.Requests);
        Assert.Equal("App.Test:8080", request.Header("Host"));
        Assert.Equal("127.0.0.1", request.Header("X-Forwarded-For"));
        Assert.Equal("127.0.0.1", request.Header("X-Real-IP"));
        Assert.Equal("App.Test:8080", request.Header("X-Forwarded-Host"));
        Assert.Equal("http", request.Header("X-Forwarded-Proto"));
        Assert.Equal($"{host.Address.Port}", request.Header("X-Forwarded-Port"));
        Assert.Equal(answer!.Header("X-Request-ID"), request.Header("X-Request-ID"));
        Assert.NotEqual("mine", request.Header("X-Request-ID"));
        Assert.All(
            ["X-Forwarded-Prefix", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "Proxy", "X_Forwarded_For", "X_Auth_User", "X-Content-Length"],
            name => Assert.Empty(request.All(name)));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-X01")]
    [Trait("Row", "REL-H232")]
    [Trait("Row", "REL-H233")]
    [Trait("Row", "REL-H234")]
    [Trait("Row", "REL-H236")]
    [Trait("Row", "REL-R47")]
    public async Task Headers_of_one_hop_stay_on_it_both_ways()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(
            "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nAlt-Svc: h3=\":443\"\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\nok"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync(
            "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close, X-Hop, X-Forwarded-For, Host\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n"
            + "Proxy-Authorization: x\r\nTE: gzip, trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nX-Kept: yes\r\n\r\n",
            Stop);

        var request = Assert.Single(backend.Requests);
        Assert.Equal(("app.test", "127.0.0.1", "yes"), (request.Header("Host"), request.Header("X-Forwarded-For"), request.Header("X-Kept")));
        Assert.All(
            ["Connection", "X-Hop", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Upgrade", "HTTP2-Settings"],
            name => Assert.Empty(request.All(name)));
        Assert.Equal("yes", answer!.Header("X-Kept"));
        Assert.All(["X-Hop", "Keep-Alive", "Alt-Svc"], name => Assert.Null(answer.Header(name)));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H138")]
    [Trait("Row", "REL-H139")]
    [Trait("Row", "REL-R34")]
    public async Task Header_values_keep_their_bytes_both_ways()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(
            "HTTP/1.1 200 OK\r\nX-A: caf\u00c3\u00a9\u00ff\r\nContent-Length: 2\r\n\r\nok"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync("GET / HTTP/1.1\r\nHost: app.test\r\nX-A: caf\u00c3\u00a9\r\nX-B: \u00ff\u00fe\r\n\r\n", Stop);

        Assert.Equal("caf\u00c3\u00a9\u00ff", answer!.Header("X-A"));
        Assert.Equal(("caf\u00c3\u00a9", "\u00ff\u00fe"), (backend.Requests[0].Header("X-A"), backend.Requests[0].Header("X-B")));
    }

    [Theory(Timeout = Limit)]
    [InlineData("TRACE / HTTP/1.1", 405)]
    [InlineData("CONNECT app.test:443 HTTP/1.1", 405)]
    [InlineData("OPTIONS * HTTP/1.1", 200)]
    [InlineData("GET * HTTP/1.1", 400)]
    [InlineData("get / HTTP/1.1", 501)]
    [InlineData("GET app.test:80 HTTP/1.1", 400)]
    [InlineData("GET http://other.test/ HTTP/1.1", 400)]
    [InlineData("GET https://app.test/ HTTP/1.1", 400)]
    [InlineData("GET http://u@app.test/ HTTP/1.1", 400)]
    [InlineData("GET /  HTTP/1.1", 400)]
    [InlineData("GET\t/\tHTTP/1.1", 400)]
    [InlineData("GET / HTTP/1.2", 505)]
    [Trait("Row", "ING-R03")]
    [Trait("Row", "ING-R04")]
    [Trait("Row", "ING-N11")]
    [Trait("Row", "ING-H13")]
    [Trait("Row", "REL-H178")]
    [Trait("Row", "REL-H184")]
    [Trait("Row", "REL-H185")]
    public async Task The_gateway_answers_these_itself(string line, int status)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.Equal(status, (await host.AskAsync(line + "\r\nHost: app.test\r\n\r\n", Stop))!.Status);
        Assert.Equal("", backend.Received);
    }

    [Theory(Timeout = Limit)]
    [InlineData("FOO / HTTP/1.1", "FOO / HTTP/1.1")]
    [InlineData("GET http://app.test/x?y HTTP/1.1", "GET /x?y HTTP/1.1")]
    [InlineData("GET http://app.test?x HTTP/1.1", "GET /?x HTTP/1.1")]
    [InlineData("OPTIONS / HTTP/1.1", "OPTIONS / HTTP/1.1")]
    [Trait("Row", "ING-R02")]
    [Trait("Row", "ING-R05")]
    [Trait("Row", "REL-H183")]
    [Trait("Row", "REL-H189")]
    public async Task These_are_forwarded_in_origin_form(string line, string expected)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.Equal(200, (await host.AskAsync(line + "\r\nHost: app.test\r\n\r\n", Stop))!.Status);
        Assert.Equal(expected, Assert.Single(backend.Requests).Line);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-R01")]
    public async Task HEAD_keeps_the_length_and_the_connection()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        for (var request = 0; request < 2; request++)
        {
            await client.SendAsync("HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
            Assert.Equal("1234", (await client.AnswerAsync(Stop, toHead: true))!.Header("Content-Length"));
        }
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H274")]
    [Trait("Row", "ING-R06")]
    public async Task A_client_that_expects_100_is_told_to_continue_once()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", Stop);
        var interim = await client.AnswerAsync(Stop);
        Assert.True(interim is { Status: 100 }, interim?.Body);
        await client.SendAsync("abc", Stop);

        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        Assert.Null(Assert.Single(backend.Requests).Header("Expect"));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H275")]
    public async Task Another_expectation_fails()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.Equal(417, (await host.AskAsync("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\nExpect: 200-maybe\r\n\r\nabc", Stop))!.Status);
        Assert.Equal("", backend.Received);
    }
}
