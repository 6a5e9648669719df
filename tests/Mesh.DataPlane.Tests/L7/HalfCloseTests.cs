using System.Net.Sockets;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>A client's FIN: it sends no more, and may wait for its answer all the same, as <c>printf … | nc -N</c> does.</summary>
public sealed class HalfCloseTests
{
    private const int Limit = 60_000;

    private static readonly IngressOptions Patient = new() { HalfClosedTimeout = TimeSpan.FromHours(1) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", 1)]
    [InlineData("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n", 1)]
    [InlineData("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc", 1)]
    [InlineData("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 1)]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: app.test\r\n\r\n", 2)]
    public async Task Every_whole_request_before_a_FIN_is_answered_and_then_the_connection_ends(string requests, int answers)
    {
        var answer = new SemaphoreSlim(0);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync(requests.Contains("POST", StringComparison.Ordinal) ? "abc" : "\r\n\r\n");
            await answer.WaitAsync(Stop);
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nok");
            await answer.WaitAsync(Stop);
            await connection.SendAsync("ok");
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], Patient);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync(requests, Stop);
        client.Socket.Shutdown(SocketShutdown.Send);

        for (var i = 0; i < answers; i++)
        {
            await backend.AcceptedAsync(Stop);
            answer.Release();
            Assert.Contains(" 200 OK", await client.UntilAsync("ok", Stop), StringComparison.Ordinal);
            answer.Release();
            await client.UntilAsync("ok", Stop);
        }

        Assert.True(await client.IsClosedAsync(Stop));
    }

    [Fact(Timeout = Limit)]
    public async Task A_FIN_in_the_middle_of_a_body_ends_the_request_at_once()
    {
        await using var backend = new RecordingBackend(async connection => await connection.ReceiveUntilAsync("never"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], Patient);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nabc", Stop);
        var connection = await ReachedAsync(backend);

        client.Socket.Shutdown(SocketShutdown.Send);

        await connection.Ended.WaitAsync(Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task A_reset_ends_the_request_at_once()
    {
        await using var backend = new RecordingBackend(async connection => await connection.ReceiveUntilAsync("never"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], Patient);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        var connection = await ReachedAsync(backend);

        client.Socket.Close(timeout: 0);

        await connection.Ended.WaitAsync(Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task A_client_that_ended_its_side_and_takes_nothing_for_a_while_is_gone()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
            await connection.ReceiveUntilAsync("never");
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], new IngressOptions { HalfClosedTimeout = TimeSpan.FromMilliseconds(50) });
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        await client.UntilAsync("data: 1", Stop);
        var connection = await backend.AcceptedAsync(Stop);

        client.Socket.Shutdown(SocketShutdown.Send);

        await connection.Ended.WaitAsync(Stop);
        Assert.DoesNotContain("\r\n0\r\n", await client.ToEndAsync(Stop), StringComparison.Ordinal); // and never as if the answer were whole
    }

    /// <summary>The connection that the request's head came over: one that was only accepted may become an unused one.</summary>
    private static async Task<BackendConnection> ReachedAsync(RecordingBackend backend)
    {
        var connection = await backend.AcceptedAsync(Stop);
        while (!connection.Received.Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        return connection;
    }
}
