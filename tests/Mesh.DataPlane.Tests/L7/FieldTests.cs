using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Header fields of messages without content, and fields without a value: they pass as they came.</summary>
public sealed class FieldTests
{
    private const int Limit = 30_000;

    private static readonly string[] ContentFields =
    [
        "Content-Type: application/json", "Content-Encoding: gzip", "Content-Language: de", "Content-Disposition: inline", "Content-MD5: x",
        "Content-Location: /here", "Content-Range: bytes 0-0/1", "Last-Modified: Tue, 24 Nov 2026 10:00:00 GMT", "Expires: 0", "Allow: GET, PUT",
        "Content-Security-Policy: none", "X-Own: 1",
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string, string>> WithoutContent() =>
        from method in new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY" }
        from framing in new[] { "", "Content-Length: 0\r\n" }
        select new TheoryDataRow<string, string>(method, framing);

    [Theory(Timeout = Limit)]
    [MemberData(nameof(WithoutContent))]
    public async Task A_request_without_content_keeps_what_it_says_of_it(string method, string framing)
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync($"{method} / HTTP/1.1\r\nHost: app.test\r\n{framing}{string.Join("\r\n", ContentFields)}\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop, toHead: true))!.Status);
        await client.SendAsync($"{method} /2 HTTP/1.1\r\nHost: app.test\r\n{framing}\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop, toHead: true))!.Status);

        Assert.Equal(["/", "/2"], backend.Requests.Select(request => request.Target));
        Assert.Equal(ContentFields, ContentFields.Select(field => field.Split(": ")[0]).Select(name => $"{name}: {backend.Requests[0].Header(name)}"));
        Assert.All(backend.Requests, request => Assert.Empty(request.All("Transfer-Encoding")));
        Assert.All(backend.Requests, request => Assert.All(request.All("Content-Length"), length => Assert.Equal("0", length)));
        Assert.True(method is "POST" or "PUT" or "PATCH" or "QUERY" || framing.Length > 0 || !backend.Requests[1].All("Content-Length").Any());
    }

    [Theory(Timeout = Limit)]
    [InlineData(200)]
    [InlineData(204)]
    [InlineData(205)]
    [InlineData(304)]
    public async Task An_answer_without_content_keeps_all_but_its_framing(int status)
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(
            $"HTTP/1.1 {status} It\r\n{string.Join("\r\n", ContentFields)}\r\nContent-Length: 0\r\n\r\n"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        for (var request = 0; request < 2; request++)
        {
            await client.SendAsync("OPTIONS / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
            var answer = await client.AnswerAsync(Stop);
            Assert.Equal(status, answer!.Status);
            Assert.Equal(ContentFields, ContentFields.Select(field => field.Split(": ")[0]).Select(name => $"{name}: {answer.Header(name)}"));
            Assert.True(status != 204 || answer.Header("Content-Length") is null);
            Assert.Null(answer.Header("Transfer-Encoding"));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Fields_without_a_value_stay_both_ways()
    {
        string[] names = ["X-Info", "Content-Type", "Content-Language", "Accept", "Cache-Control"];
        string[] ofAnswers = [.. names, "Set-Cookie", "Location", "Server", "ETag"];
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(
            $"HTTP/1.1 200 OK\r\n{string.Concat(ofAnswers.Select(name => name + ":\r\n"))}Content-Length: 2\r\n\r\nok"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        foreach (var body in new[] { "", "abc" })
        {
            var answer = await host.AskAsync(
                $"POST /{body} HTTP/1.1\r\nHost: app.test\r\n{string.Concat(names.Select(name => name + ":\r\n"))}Content-Length: {body.Length}\r\n\r\n{body}", Stop);
            var request = Assert.Single(backend.Requests, request => request.Target == "/" + body);
            Assert.All(names, name => Assert.Equal("", Assert.Single(request.All(name))));
            Assert.All(ofAnswers, name => Assert.Equal("", answer!.Header(name)));
        }
    }
}
