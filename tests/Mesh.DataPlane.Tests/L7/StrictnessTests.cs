using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>What no endpoint may ever see. After each case, another client's request must be answered as if nothing had been.</summary>
public sealed class StrictnessTests
{
    private const int Limit = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string, string, int[]>> Heads => HostileRequests.RefusedHeads();

    public static IEnumerable<TheoryDataRow<string, string, int[]>> Bodies => HostileRequests.RefusedBodies();

    public static IEnumerable<TheoryDataRow<string, string, string>> Legal => HostileRequests.Accepted();

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Heads))]
    public async Task A_head_that_two_parsers_read_differently_is_refused_and_reaches_no_endpoint(string row, string bytes, int[] statuses)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using (var client = await host.ConnectAsync(Stop))
        {
            await client.SendAsync(HostileRequests.Unescape(bytes), Stop);
            var answer = await client.AnswerAsync(Stop);
            Assert.NotNull(answer);
            Assert.True(statuses.Contains(answer.Status), $"{row}: {answer.Status} {answer.Body}");
            Assert.Matches("^(MalformedRequest|MethodNotAllowed): .+\n$", answer.Body);
            Assert.Equal("", await client.ToEndAsync(Stop));
        }

        Assert.Equal("", backend.Received);
        await NextIsCleanAsync(host, backend, before: 0);
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Bodies))]
    public async Task A_body_with_wrong_framing_is_refused_and_never_ends_for_the_endpoint(string row, string bytes, int[] statuses)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using (var client = await host.ConnectAsync(Stop))
        {
            await client.SendAsync(HostileRequests.Unescape(bytes), Stop);
            var answer = await client.AnswerAsync(Stop);
            Assert.NotNull(answer);
            Assert.True(statuses.Contains(answer.Status), $"{row}: {answer.Status} {answer.Body}");
            Assert.Equal("", await client.ToEndAsync(Stop));
        }

        Assert.Empty(backend.Requests); // no last chunk: a correct server sees no whole request
        Assert.DoesNotContain("SMUGGLED", backend.Received, StringComparison.Ordinal);
        foreach (var connection in backend.Connections)
        {
            await connection.Ended.WaitAsync(Stop); // and the connection is not used again
        }

        await NextIsCleanAsync(host, backend, before: 0);
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Legal))]
    public async Task An_unusual_but_legal_request_is_forwarded_with_one_framing(string row, string bytes, string body)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync(HostileRequests.Unescape(bytes), Stop);

        Assert.True(answer is { Status: 200 }, $"{row}: {answer?.Status} {answer?.Body}");
        var request = Assert.Single(backend.Requests);
        Assert.Equal(body, request.Body);
        Assert.Single(request.All("Host"));
        Assert.True(request.All("Content-Length").Count() + request.All("Transfer-Encoding").Count() <= 1);
        Assert.All(request.All("Content-Length"), length => Assert.Equal($"{body.Length}", length));
        Assert.DoesNotContain(request.Headers, header => header.Name.Contains('_', StringComparison.Ordinal));
        Assert.All(HostileRequests.OfTrailersAndExtensions, part => Assert.DoesNotContain(part, backend.Received, StringComparison.Ordinal));
        await NextIsCleanAsync(host, backend, before: 1);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H030")]
    public async Task A_HEAD_with_a_body_is_one_request()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync("HEAD / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 42\r\n\r\n" + HostileRequests.Smuggled, Stop);

        Assert.Equal("2", (await client.AnswerAsync(Stop, toHead: true))!.Header("Content-Length"));
        Assert.Equal(HostileRequests.Smuggled, Assert.Single(backend.Requests).Body);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H110")]
    public async Task What_follows_a_whole_request_is_judged_after_its_answer()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\0", Stop);

        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        Assert.Equal(400, (await client.AnswerAsync(Stop))!.Status);
        Assert.True(await client.IsClosedAsync(Stop));
        Assert.Single(backend.Requests);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H293")]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            for (var answered = 0; await connection.ReceiveAsync();)
            {
                foreach (var request in RecordedRequest.Parse(connection.Received).Skip(answered))
                {
                    answered++;
                    await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {request.Target.Length}\r\n\r\n{request.Target}");
                }
            }
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync(string.Concat(Enumerable.Range(0, 200).Select(number => $"GET /{number} HTTP/1.1\r\nHost: app.test\r\n\r\n")), Stop);

        for (var number = 0; number < 200; number++)
        {
            Assert.Equal($"/{number}", (await client.AnswerAsync(Stop))!.Body);
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData(8193, 100, 414, "TargetTooLong")]
    [InlineData(65536, 100, 414, "TargetTooLong")]
    [InlineData(100, 40_000, 431, "HeadersTooLarge")]
    [Trait("Row", "REL-H191")]
    [Trait("Row", "REL-H192")]
    [Trait("Row", "REL-H268")]
    [Trait("Row", "ING-N13")]
    public async Task Sizes_have_limits_with_answers(int target, int header, int status, string reason)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync($"GET /{new string('a', target)} HTTP/1.1\r\nHost: app.test\r\nX: {new string('b', header)}\r\n\r\n", Stop);

        Assert.Equal(status, answer!.Status);
        Assert.StartsWith(reason + ": ", answer.Body, StringComparison.Ordinal);
        Assert.Equal("", backend.Received);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H269")]
    [Trait("Row", "REL-H272")]
    public async Task A_hundred_headers_and_a_large_cookie_pass_and_one_more_header_does_not()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var cookie = $"Cookie: {new string('c', 31_000)}\r\n";
        Assert.Equal(200, (await host.AskAsync($"GET / HTTP/1.1\r\nHost: app.test\r\n{cookie}\r\n", Stop))!.Status);
        Assert.Equal(200, (await host.AskAsync($"GET / HTTP/1.1\r\nHost: app.test\r\n{Many(99)}\r\n", Stop))!.Status);
        Assert.Equal(431, (await host.AskAsync($"GET / HTTP/1.1\r\nHost: app.test\r\n{Many(100)}\r\n", Stop))!.Status);

        static string Many(int count) => string.Concat(Enumerable.Range(0, count).Select(number => $"X-{number}: v\r\n"));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X07")]
    public async Task A_head_that_does_not_end_is_answered_408()
    {
        var time = new FakeTimeProvider();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], time: time);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\nX-", Stop);

        var answer = client.AnswerAsync(Stop);
        while (!answer.IsCompleted)
        {
            time.Advance(new IngressOptions().HeaderTimeout); // again, as the bytes may not have come yet
            await Task.Yield();
        }

        Assert.Equal(408, (await answer)!.Status);
        Assert.Equal("", backend.Received);
    }

    [Theory(Timeout = Limit)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003")]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n")]
    [Trait("Row", "REL-H193")]
    [Trait("Row", "REL-H194")]
    [Trait("Row", "REL-H196")]
    [Trait("Row", "REL-H197")]
    public async Task Another_protocol_is_refused(string bytes)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.True((await host.AskAsync(bytes, Stop))!.Status is 400 or 505);
        Assert.Equal("", backend.Received);
    }

    private static async Task NextIsCleanAsync(GatewayHost host, RecordingBackend backend, int before)
    {
        var answer = await host.AskAsync("GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal((200, "ok"), (answer!.Status, answer.Body));
        Assert.Equal("/next", Assert.Single(backend.Requests.Skip(before)).Target);
        Assert.DoesNotContain(backend.Requests, request => request.Target == "/SMUGGLED");
        Assert.Empty(host.Errors.Entries); // what a client sends is never an error of the gateway's own
    }
}
