using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>When the head of an answer reaches the client: when it came. Its body may take for ever, and may never come.</summary>
public sealed class AnswerHeadTests
{
    private const int Limit = 30_000;

    private static readonly string[] Heads =
    [
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 3\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 3\r\n",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n",
    ];

    private static readonly string[] Requests =
    [
        "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: app.test\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\nx",
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string, string>> Exchanges() =>
        Requests.SelectMany(request => Heads.Select(head => new TheoryDataRow<string, string>(request, head)));

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Exchanges))]
    public async Task The_head_of_an_answer_comes_before_any_byte_of_its_body(string request, string head)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync(request.EndsWith('x') ? "\r\n\r\nx" : "\r\n\r\n");
            await connection.SendAsync(head + "\r\n");
            await seen.Task.WaitAsync(Stop);
            await connection.SendAsync(head.Contains("chunked", StringComparison.Ordinal) ? "3\r\nabc\r\n0\r\n\r\n" : "abc");
            connection.Finish();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync(request, Stop);

        var answer = await client.AnswerAsync(Stop, toHead: true);
        Assert.Equal(head.Split(' ')[1], $"{answer!.Status}");
        Assert.All(head.Split("\r\n").Where(line => line.StartsWith("Location", StringComparison.Ordinal)), _ => Assert.Equal("/elsewhere", answer.Header("Location")));
        seen.SetResult();
        Assert.Contains("abc", await client.UntilAsync("abc", Stop), StringComparison.Ordinal);
    }

    [Theory(Timeout = Limit)]
    [InlineData("Transfer-Encoding: chunked\r\n", "")]
    [InlineData("Content-Length: 3\r\n", "")]
    [InlineData("Content-Length: 3\r\n", "a")]
    public async Task An_answer_that_is_cut_after_its_head_never_ends_as_if_it_were_whole(string framing, string piece)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync($"HTTP/1.1 200 OK\r\n{framing}\r\n{piece}");
            await seen.Task.WaitAsync(Stop);
            connection.Reset();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop, toHead: true))!.Status);

        seen.SetResult();

        Assert.Equal(piece, await client.ToEndAsync(Stop));
        Assert.Single(backend.Connections); // what has begun is not asked for again
    }

    [Fact(Timeout = Limit)]
    public async Task An_answer_that_ends_by_close_and_is_reset_after_its_head_is_cut_for_the_client_too()
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 200 OK\r\n\r\n");
            await seen.Task.WaitAsync(Stop);
            connection.Reset();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop, toHead: true))!.Status);

        seen.SetResult();

        Assert.DoesNotContain("0\r\n\r\n", await client.ToEndAsync(Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task A_client_that_goes_after_the_head_ends_the_request_at_its_endpoint()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            await connection.ReceiveUntilAsync("never");
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop, toHead: true))!.Status);

        client.Socket.Close(timeout: 0);

        await (await backend.AcceptedAsync(Stop)).Ended.WaitAsync(Stop);
    }
}
