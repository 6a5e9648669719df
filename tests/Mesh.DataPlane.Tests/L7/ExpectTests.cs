using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary><c>Expect: 100-continue</c> is the endpoint's to meet or to refuse (RFC 9110 §10.1.1).</summary>
public sealed class ExpectTests
{
    private const int Limit = 30_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("413 Content Too Large", "Content-Length: 2\r\nConnection: close\r\n\r\nno", "Content-Length: 8000000")]
    [InlineData("401 Unauthorized", "WWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno", "Content-Length: 8000000")]
    [InlineData("417 Expectation Failed", "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", "Content-Length: 8000000")]
    [InlineData("303 See Other", "Location: /elsewhere\r\nContent-Length: 2\r\n\r\nno", "Transfer-Encoding: chunked")]
    [InlineData("403 Forbidden", "Connection: close\r\n\r\nno", "Transfer-Encoding: chunked")]
    [Trait("Row", "REL-H274")]
    public async Task An_endpoint_refuses_an_upload_by_its_head_alone(string status, string answer, string framing)
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync($"HTTP/1.1 {status}\r\n{answer}");
            connection.Finish();
            await connection.ReceiveUntilAsync("never");
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync($"PUT / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\n{framing}\r\n\r\n", Stop);

        var refusal = await client.AnswerAsync(Stop);
        Assert.Equal((status[..3], "no"), ($"{refusal!.Status}", refusal.Body));
        Assert.Equal("close", refusal.Header("Connection")); // what follows could be the body or the next request
        Assert.True(await client.IsClosedAsync(Stop));
        Assert.EndsWith("\r\n\r\n", backend.Received, StringComparison.Ordinal);
        Assert.Contains("Expect: 100-continue", backend.Received, StringComparison.Ordinal);
    }

    [Theory(Timeout = Limit)]
    [InlineData("Content-Length: 2000", "")]
    [InlineData("Transfer-Encoding: chunked", "")]
    [InlineData("Content-Length: 2000", "/quiet")]
    [Trait("Row", "REL-H274")]
    public async Task A_client_is_told_to_continue_once_when_its_endpoint_says_so_or_says_nothing(string framing, string path)
    {
        var body = new string('b', 2000);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            if (path.Length == 0)
            {
                await connection.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
            }

            await connection.ReceiveUntilAsync(body);
            await connection.SendAsync(RecordingBackend.Ok);
            await connection.ReceiveUntilAsync("never");
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync($"PUT {path}/ HTTP/1.1\r\nHost: app.test\r\nExpect: 100-Continue\r\n{framing}\r\n\r\n", Stop);
        Assert.Equal(100, (await client.AnswerAsync(Stop))!.Status);
        await client.SendAsync(framing.StartsWith('C') ? body : $"7d0\r\n{body}\r\n0\r\n\r\n", Stop);

        var answer = await client.AnswerAsync(Stop);
        Assert.Equal((200, "ok", null), (answer!.Status, answer.Body, answer.Header("Connection")));
        Assert.Equal(body, Assert.Single(backend.Requests).Body);
    }

    [Theory(Timeout = Limit)]
    [InlineData("POST / HTTP/1.0", "Content-Length: 2000\r\n", 2000)]
    [InlineData("GET / HTTP/1.1", "", 0)]
    public async Task Where_there_is_nothing_to_wait_for_the_endpoint_is_not_asked(string line, string framing, int length)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync($"{line}\r\nHost: app.test\r\nExpect: 100-continue\r\n{framing}\r\n{new string('b', length)}", Stop);

        Assert.Equal(200, answer!.Status);
        Assert.Null(Assert.Single(backend.Requests).Header("Expect"));
    }

    [Fact(Timeout = Limit)]
    public async Task What_the_gateway_refuses_itself_asks_for_no_body()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync("PUT / HTTP/1.1\r\nHost: other.test\r\nExpect: 100-continue\r\nContent-Length: 8000000\r\n\r\n", Stop);

        var answer = await client.AnswerAsync(Stop);
        Assert.Equal((404, "close"), (answer!.Status, answer.Header("Connection")));
        Assert.True(await client.IsClosedAsync(Stop));
        Assert.Equal("", backend.Received);
    }
}
