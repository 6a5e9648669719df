using System.Text;
using CsCheck;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>
/// What a client sends is forwarded, or refused by the gateway with a sentence and a line in the log; whatever else reads it
/// on the way (the server's parser, the client towards the endpoint) never has an opinion of its own.
/// </summary>
public sealed class AlphabetTests
{
    private const int Limit = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string>> Hosts() =>
        from mark in "!\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~"
        from host in new[] { $"a{mark}b.test", $"{mark}ab.test", $"ab{mark}", $"a.{mark}b.test", $"a.b.{mark}c.test", $"1.{mark}b.test", $"a.b{mark}.test" }
        select new TheoryDataRow<string>(host);

    public static IEnumerable<TheoryDataRow<string>> UnsendableHosts() =>
        from host in new[]
        {
            "a.b._c.test", "www.x.-z.test", "a._b._c.test", "1._b.test", "1.-", "1.-:80", "1._b.test.",
            "1." + new string('a', 64), new string('a', 64) + ".test", new string('9', 64) + ".test", "a.b." + new string('c', 64) + ".test",
        }
        select new TheoryDataRow<string>(host);

    public static IEnumerable<TheoryDataRow<string, string>> RightRequests() =>
    [
        new("GET http://APP.TEST/x HTTP/1.1", "APP.TEST"),
        new("GET http://app.test/x HTTP/1.1", "APP.test"),
        new("GET HTTP://app.test/x HTTP/1.1", "app.test"),
        new("GET http://app.test:00080/x HTTP/1.1", "app.test:00080"),
        new("GET http://app.test:8080/x HTTP/1.1", "app.test:8080"),
        new("GET http://app.test:/x HTTP/1.1", "app.test:"),
        new("GET http://[0:0::1]/x HTTP/1.1", "[0:0::1]"),
        new("GET http://[::ffff:1.2.3.4]:80/x HTTP/1.1", "[::ffff:1.2.3.4]:80"),
        new("GET http://1.2.3/x HTTP/1.1", "1.2.3"),
        new("GET http://2130706433/x HTTP/1.1", "2130706433"),
        new("GET http://app.test./x HTTP/1.1", "app.test."),
        new("GET /x HTTP/1.1", "app.test:"),
        new("GET /x HTTP/1.1", "app.test:00080"),
        new("GET /x HTTP/1.1", "[0:0::1]:80"),
        new("GET /x HTTP/1.1", "-a-.test"),
        new("GET /x HTTP/1.1", "_dmarc.my_app.test"),
        new("GET /x HTTP/1.1", "a._b.test"),
        new("GET /x HTTP/1.1", new string('a', 63) + ".test"),
        new("GET /x HTTP/1.1", "1." + new string('a', 63)),
        new($"GET http://{new string('9', 63)}.test/x HTTP/1.1", new string('9', 63) + ".test"),
    ];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(RightRequests))]
    public async Task Unusual_hosts_are_forwarded_as_they_were_sent(string line, string name)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        host.Routes.Ingress("all", "", ("/", "Prefix", "web"));

        var answer = await host.AskAsync($"{line}\r\nX-Before: 1\r\nHost: {name}\r\nX-After: 1\r\n\r\n", Stop);

        Assert.True(answer is { Status: 200 }, $"{answer?.Status} {answer?.Body}");
        var request = Assert.Single(backend.Requests);
        Assert.Equal(("GET /x HTTP/1.1", name.TrimEnd(':'), "1", "1"), (request.Line, request.Header("Host"), request.Header("X-Before"), request.Header("X-After")));
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(UnsendableHosts))]
    public async Task Hosts_that_the_client_towards_the_endpoint_cannot_send_are_refused_in_words(string name)
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: lines);
        host.Routes.Ingress("all", "", ("/", "Prefix", "web"));

        foreach (var line in new[] { "GET / HTTP/1.1", $"GET http://{name}/ HTTP/1.1" })
        {
            Assert.Equal(400, await ForwardedOrRefusedAsync(host, lines, $"{line}\r\nHost: {name}\r\n\r\n"));
        }

        Assert.Empty(backend.Requests);
    }

    [Theory(Timeout = Limit)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Heads_that_are_shown_in_another_form_keep_their_bodies_and_their_order(int piece)
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            for (var answered = 0; await connection.ReceiveAsync();)
            {
                foreach (var request in RecordedRequest.Parse(connection.Received).Skip(answered))
                {
                    answered++;
                    var seen = $"{request.Line} {request.Header("Host")} {request.Body}";
                    await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {seen.Length}\r\n\r\n{seen}");
                }
            }
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        var requests = "\r\nPOST http://APP.test:/1?a HTTP/1.1\r\nHost: app.TEST:\r\nContent-Length: 3\r\n\r\nabc"
            + "POST http://app.test?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: app.test\r\n\r\n3\r\ndef\r\n0\r\n\r\n"
            + "GET HTTP://app.test HTTP/1.1\r\nHost: app.test\r\n\r\n"
            + "GET /4 HTTP/1.1\r\nHost: app.test\r\n\r\n";
        var sending = SendAsync();

        Assert.Equal("POST /1?a HTTP/1.1 app.TEST abc", (await client.AnswerAsync(Stop))!.Body);
        Assert.Equal("POST /?b HTTP/1.1 app.test def", (await client.AnswerAsync(Stop))!.Body);
        Assert.Equal("GET / HTTP/1.1 app.test ", (await client.AnswerAsync(Stop))!.Body);
        Assert.Equal("GET /4 HTTP/1.1 app.test ", (await client.AnswerAsync(Stop))!.Body);
        await sending;

        async Task SendAsync()
        {
            for (var at = 0; at < requests.Length; at += piece)
            {
                await client.SendAsync(requests[at..Math.Min(at + piece, requests.Length)], Stop);
            }
        }
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Hosts))]
    public async Task A_host_with_any_mark_is_forwarded_or_refused_in_words(string name)
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: lines);
        host.Routes.Ingress("all", "", ("/", "Prefix", "web"));

        foreach (var line in new[] { "GET / HTTP/1.1", $"GET http://{name}/ HTTP/1.1" })
        {
            await ForwardedOrRefusedAsync(host, lines, $"{line}\r\nHost: {name}\r\n\r\n");
        }
    }

    [Fact(Timeout = Limit)]
    public async Task No_target_host_or_field_is_refused_without_a_word_or_blamed_on_an_endpoint()
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: lines);
        host.Routes.Ingress("all", "", ("/", "Prefix", "web"));
        var piece = Gen.OneOf("a", "Z", "9", ".", "..", ":", "/", "//", "?", "%", "%2e", "%00", "%zz", "%c0%80", "%ff", "[", "]", "::1", "@", "-", "_", "~", "!", "+", "=", ";", ",", "*", "\\", "\"", "'", "\u00e4", "\t", "\u007f", "80", "http://", "#", "&", "{", "|");
        var text = piece.Array[0, 6].Select(pieces => string.Concat(pieces));
        var method = Gen.OneOf("GET", "POST", "OPTIONS", "FOO", "A!#$%&'*+-.^_`|~9", "G\u00c4T");
        var target = Gen.OneOf(text.Select(rest => "/" + rest), text.Select(rest => "http://app.test" + rest), text, text.Select(rest => "http://" + rest + "/"));
        var request = Gen.Select(method, target, Gen.OneOf(Gen.Const("app.test"), text), text, text, (verb, to, name, field, value) =>
            $"{verb} {to} HTTP/1.1\r\nHost: {name}\r\nX{field}: {value}\r\nContent-Length: 0\r\n\r\n");
        var outcomes = new Dictionary<int, int>();
        await request.SampleAsync(
            async bytes =>
            {
                var status = await ForwardedOrRefusedAsync(host, lines, bytes);
                outcomes[status] = outcomes.GetValueOrDefault(status) + 1;
            },
            iter: 1500,
            threads: 1);

        Assert.True(outcomes.GetValueOrDefault(200) > 10 && outcomes.GetValueOrDefault(400) > 10, string.Join(' ', outcomes)); // both were reached
    }

    private static async Task<int> ForwardedOrRefusedAsync(GatewayHost host, AccessLines lines, string bytes)
    {
        var answer = await host.AskAsync(bytes, Stop);
        var line = await lines.NextAsync(Stop);
        var shown = $"{Encoding.Latin1.GetString(Encoding.Latin1.GetBytes(bytes))} => {answer?.Status} {answer?.Body} / {line["message"]}";
        Assert.True(answer is { Status: 200 or 400 or 405 or 501 }, shown);
        Assert.True(answer.Status == (int)line["code"]!, shown);
        Assert.True(answer.Status == 200 || answer.Body.StartsWith($"{line["reason"]}: ", StringComparison.Ordinal), shown);
        return answer.Status;
    }
}
