using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Exchanges that last: streams, large bodies, WebSockets, and what happens to them when endpoints or the gateway go.</summary>
public sealed class StreamingTests
{
    private const int Limit = 30_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-R08")]
    public async Task The_first_bytes_of_an_answer_come_before_its_last()
    {
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n");
            await more.Task;
            await connection.SendAsync("5\r\nlast\n\r\n0\r\n\r\n");
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET /events HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);

        Assert.Contains("first\n", await client.UntilAsync("first\n", Stop), StringComparison.Ordinal);
        more.SetResult();
        Assert.Contains("last\n", await client.UntilAsync("0\r\n\r\n", Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task The_first_bytes_of_a_body_reach_the_endpoint_before_its_last()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", Stop);

        var connection = await backend.AcceptedAsync(Stop);
        while (!connection.Received.Contains("first", StringComparison.Ordinal))
        {
            Assert.False(connection.Ended.IsCompleted);
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        await client.SendAsync("4\r\nlast\r\n0\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        Assert.Equal("firstlast", Assert.Single(backend.Requests).Body);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H280")]
    [Trait("Row", "ING-U01")]
    public async Task A_WebSocket_carries_bytes_both_ways_unlooked_at()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\0hello\n");
            await connection.ReceiveUntilAsync("\0\r\nGET /SMUGGLED");
            await connection.SendAsync("bye");
            connection.Finish();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync(WebSocket(), Stop);

        var answer = await client.AnswerAsync(Stop);
        Assert.Equal((101, "websocket"), (answer!.Status, answer.Header("Upgrade")));
        Assert.Equal("\0hello\n", await client.UntilAsync("\n", Stop));
        await client.SendAsync("\0\r\nGET /SMUGGLED", Stop);
        Assert.Equal("bye", await client.UntilAsync("bye", Stop));
    }

    [Fact(Timeout = Limit)]
    public async Task A_WebSocket_that_is_declined_leaves_an_ordinary_connection()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync(WebSocket(), Stop);
        Assert.Equal("no", (await client.AnswerAsync(Stop))!.Body);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3, 3\r\n\r\n", Stop);
        Assert.Equal(400, (await client.AnswerAsync(Stop))!.Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("GET", "Sec-WebSocket-Version: 13\r\n", 400)]
    [InlineData("GET", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n", 400)]
    [InlineData("GET", "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426)]
    [InlineData("POST", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400)]
    [Trait("Row", "REL-H281")]
    [Trait("Row", "REL-H282")]
    [Trait("Row", "REL-H283")]
    [Trait("Row", "REL-H284")]
    public async Task A_handshake_that_is_none_is_refused(string method, string headers, int status)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync($"{method} /chat HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n", Stop);

        Assert.Equal(status, answer!.Status);
        Assert.Equal("", backend.Received);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-B12")]
    public async Task When_an_endpoint_goes_its_idle_connections_close_and_its_requests_end()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var old = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            if (connection.Received.Contains("/slow", StringComparison.Ordinal))
            {
                asked.SetResult();
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl");
                await finish.Task;
                await connection.SendAsync("ow");
            }
            else
            {
                await connection.SendAsync(RecordingBackend.Ok);
            }

            await connection.ReceiveAsync();
        });
        await using var next = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([old.Pod("old")]);
        using var slow = await host.ConnectAsync(Stop);
        await slow.SendAsync("GET /slow HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        await asked.Task.WaitAsync(Stop); // else both requests may be sent on the connection that is made second
        await old.AcceptedAsync(Stop);
        Assert.Equal("ok", (await host.AskAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop))!.Body);
        var idle = await old.AcceptedAsync(Stop);

        host.Routes.Service("web", "127.97.0.1", 80, next.Pod("next"));
        await idle.Ended.WaitAsync(Stop);
        Assert.Equal("ok", (await host.AskAsync("GET /2 HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop))!.Body);
        Assert.Equal("/2", Assert.Single(next.Requests).Target);

        finish.SetResult();
        Assert.Equal("slow", (await slow.AnswerAsync(Stop))!.Body);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-L06")]
    public async Task A_stop_lets_a_request_under_way_end()
    {
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await finish.Task;
            await connection.SendAsync(RecordingBackend.Ok);
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        await backend.AcceptedAsync(Stop);

        var address = host.Address;
        var stopped = host.Gateway.StopAsync(Stop);
        await L4Host.RefusedAsync(address, Stop);
        finish.SetResult();

        Assert.Equal("ok", (await client.AnswerAsync(Stop))!.Body);
        await stopped;
    }

    private static string WebSocket() =>
        "GET /chat HTTP/1.1\r\nHost: app.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}
