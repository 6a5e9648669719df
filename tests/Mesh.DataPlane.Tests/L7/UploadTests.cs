using System.Net.Sockets;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Bodies that come slowly, and clients that leave in the middle of one.</summary>
public sealed class UploadTests
{
    private const int Limit = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// Real time has to pass: the server under the gateway measures rates on a clock of its own, from 5 s after a body's
    /// first read on.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task No_body_is_too_slow()
    {
        const string head = "POST / HTTP/1.1\r\nHost: app.test\r\n";
        string[][] uploads =
        [
            [head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "1\r\nb\r\n", "1\r\nc\r\n0\r\n\r\n"],
            [head + "Content-Length: 3\r\n\r\n", "a", "b", "c"],
            [head + "Content-Length: 1003\r\n\r\n" + new string('x', 1000), "", "", "abc"],
            [head + "Content-Length: 3\r\n\r\n", "", "", "abc"],
        ];
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        var clients = await Task.WhenAll(uploads.Select(_ => host.ConnectAsync(Stop)));

        for (var piece = 0; piece < 4; piece++)
        {
            for (var i = 0; i < clients.Length; i++)
            {
                Assert.False(clients[i].Socket.Poll(piece == 0 || i > 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(3), SelectMode.SelectRead), $"upload {i} was answered or cut before piece {piece}");
                await clients[i].SendAsync(uploads[i][piece], Stop);
            }
        }

        foreach (var client in clients)
        {
            Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
            client.Dispose();
        }

        Assert.All(backend.Requests, request => Assert.Equal("abc", request.Body[^3..]));
    }

    [Theory(Timeout = Limit)]
    [InlineData("Content-Length: 1000\r\n\r\n", false)]
    [InlineData("Content-Length: 1000\r\n\r\nabc", false)]
    [InlineData("Content-Length: 1000\r\n\r\nabc", true)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n3\r\nab", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true)]
    public async Task A_client_that_leaves_in_an_upload_is_gone_each_time(string bodyAndFraming, bool reset)
    {
        const int clients = 40;
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend(connection => connection.ReceiveUntilAsync("never"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: lines);
        for (var i = 0; i < clients; i++)
        {
            using var client = await host.ConnectAsync(Stop);
            await client.SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\n" + bodyAndFraming, Stop);
            while (host.Gateway.ActiveRequests == 0)
            {
                await Task.Yield();
                Stop.ThrowIfCancellationRequested();
            }

            client.Socket.LingerState = new LingerOption(reset, 0);
            client.Dispose();
            var line = await lines.NextAsync(Stop);
            Assert.Equal((499, "ClientGone"), (line["code"], line["reason"]));
        }
    }
}
