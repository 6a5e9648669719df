using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>What the access log says of a request, as counted by the two ends of the sockets.</summary>
public sealed class AccessLogTests
{
    private const int Limit = 30_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\nUser-Agent: curl/8.5.0\r\n", "", RecordingBackend.Ok, "curl/8.5.0")]
    [InlineData("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n", "", RecordingBackend.Ok, "-")]
    [InlineData("POST / HTTP/1.1\r\nHost: app.test\r\nUser-Agent: a \"b\" c\r\nContent-Length: 5\r\n", "abcde", RecordingBackend.Ok, "a \"b\" c")]
    [InlineData("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", RecordingBackend.Ok, "-")]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\n", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "-")]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\n", "", "HTTP/1.1 204 No Content\r\n\r\n", "-")]
    [InlineData("GET http://app.test/ HTTP/1.1\r\nHost: app.test\r\n", "", RecordingBackend.Ok, "-")]
    [InlineData("GET / HTTP/1.1\r\nHost: other.test\r\n", "", "", "-")]
    public async Task Bytes_protocol_and_user_agent_are_in_each_line(string head, string body, string reply, string agent)
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(reply));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: lines);
        using var client = await host.ConnectAsync(Stop);

        for (var request = 0; request < 3; request++)
        {
            await client.SendAsync($"{head}\r\n{body}", Stop);
            var answer = await client.BytesOfAnswerAsync(Stop);
            var line = await lines.NextAsync(Stop);
            Assert.Equal(head.Contains("HTTP/1.0", StringComparison.Ordinal) ? "HTTP/1.0" : "HTTP/1.1", line["protocol"]);
            Assert.Equal(agent, line["user_agent"]);
            Assert.Equal((long)(head.Length + 2 + body.Length), line["request_bytes"]);
            Assert.Equal((long)answer, line["response_bytes"]);
            Assert.Contains($" user_agent=\"{agent.Replace('"', '\'')}\" trace_id=", (string)line["message"]!, StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_long_user_agent_is_cut()
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: lines);

        await host.AskAsync($"GET / HTTP/1.1\r\nHost: app.test\r\nUser-Agent: {new string('a', 5000)}\r\n\r\n", Stop);

        Assert.Equal(new string('a', 256), (await lines.NextAsync(Stop))["user_agent"]);
        Assert.Contains(new string('a', 5000), backend.Received, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task A_tunnel_counts_what_went_through_it()
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
            await connection.ReceiveUntilAsync(new string('x', 10_000));
            await connection.SendAsync(new string('y', 20_000));
            connection.Finish();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: lines);
        using var client = await host.ConnectAsync(Stop);
        const string head = "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        await client.SendAsync(head, Stop);
        Assert.Equal(101, (await client.AnswerAsync(Stop))!.Status);
        await client.SendAsync(new string('x', 10_000), Stop);
        Assert.EndsWith(new string('y', 20_000), await client.UntilAsync(new string('y', 20_000), Stop), StringComparison.Ordinal);
        client.Dispose();

        var line = await lines.NextAsync(Stop);
        Assert.Equal(head.Length + 10_000L, line["request_bytes"]);
        Assert.InRange((long)line["response_bytes"]!, 20_100, 20_500);
    }
}
