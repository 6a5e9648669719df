using System.Diagnostics;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Mesh.Testing.Certificates;
using Mesh.Testing.Telemetry;
using Xunit;

namespace Mesh.DataPlane.Tests.L7.Tls;

/// <summary>Requests over TLS are those of plain HTTP, and say what they came by.</summary>
[Collection(nameof(Alone))]
public sealed class HttpsTests : IDisposable
{
    private const int Limit = 60_000;

    private readonly TestAuthority _authority = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X11")]
    public async Task What_no_endpoint_may_see_in_plain_HTTP_none_sees_over_TLS()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        foreach (var (row, bytes, statuses) in HostileRequests.RefusedHeads().Select(row => row.Data))
        {
            using var client = await TlsClient.ConnectAsync(host.TlsAddress, "app.test", Stop);
            await client.SendAsync(HostileRequests.Unescape(bytes), Stop);
            var answer = await client.AnswerAsync(Stop);
            Assert.True(answer is not null && statuses.Contains(answer.Status), $"{row}: {answer?.Status} {answer?.Body}");
            Assert.Equal("", await client.ToEndAsync(Stop));
        }

        Assert.Equal("", backend.Received);
    }

    [Fact(Timeout = Limit)]
    public async Task Bodies_of_many_records_pass_both_ways_on_one_connection()
    {
        const int Length = 300_000;
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Length}\r\n\r\n{new string('d', Length)}"));
        await using var host = await StartAsync(backend);
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "app.test", Stop);
        for (var request = 0; request < 3; request++)
        {
            await client.SendAsync($"POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: {Length}\r\n\r\n{new string('~', Length)}", Stop);
            Assert.Equal(new string('d', Length), (await client.AnswerAsync(Stop))!.Body);
        }

        Assert.Equal(3 * Length, backend.Received.Count(c => c == '~'));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H185")]
    public async Task A_target_with_the_scheme_of_the_connection_is_the_path_and_one_with_another_is_refused()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "app.test", Stop);
        await client.SendAsync("GET https://app.test/x HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        Assert.StartsWith("GET /x HTTP/1.1\r\n", backend.Received, StringComparison.Ordinal);
        await client.SendAsync("GET http://app.test/x HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(400, (await client.AnswerAsync(Stop))!.Status);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-F03")]
    public async Task Endpoint_log_span_and_metrics_are_told_of_TLS()
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend, lines);
        using var measured = new Measured(DataPlaneMetrics.MeterName);
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == IngressTracing.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "app.test", Stop, System.Security.Authentication.SslProtocols.Tls13);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-Proto: gopher\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);

        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", backend.Received, StringComparison.Ordinal);
        Assert.Contains($"\r\nX-Forwarded-Port: {host.TlsAddress.Port}\r\n", backend.Received, StringComparison.Ordinal);
        Assert.DoesNotContain("gopher", backend.Received, StringComparison.Ordinal);
        Assert.Equal("1.3", (await lines.NextAsync(Stop))["tls"]);
        await measured.UntilAsync("http.server.request.duration", 1, Stop);
        Assert.Contains("url.scheme=https", Assert.Single(measured.Tags("http.server.request.duration")), StringComparison.Ordinal);
        Assert.Equal(["result=done tls.protocol.version=1.3"], measured.Tags("mesh.ingress.handshakes"));
        var span = Assert.Single(spans, span => span.Kind == ActivityKind.Server);
        Assert.Equal(
            ("https", "tls", "1.3", 443),
            (span.GetTagItem("url.scheme"), span.GetTagItem("tls.protocol.name"), span.GetTagItem("tls.protocol.version"), span.GetTagItem("server.port")));
        var attempt = Assert.Single(spans, span => span.Kind == ActivityKind.Client);
        Assert.Equal(("http://app.test/", 80), (attempt.GetTagItem("url.full"), attempt.GetTagItem("server.port"))); // it is plain HTTP
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "ING-T10")]
    [Trait("Row", "ING-T11")]
    [InlineData("GET /a%2Fb?c=d HTTP/1.1\r\nHost: Shop.test:8080\r\n\r\n", "https://Shop.test:{0}/a%2Fb?c=d")]
    [InlineData("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\nabc", "https://shop.test:{0}/")]
    [InlineData("GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: shop.test\r\n\r\n", null)]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", null)]
    public async Task Plain_HTTP_is_answered_as_ever_or_sent_to_HTTPS_where_the_Ingress_says_so(string request, string? location)
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        host.Routes.Tls("shop", "web", true, ("shop.test", null));
        var answer = (await host.AskAsync(request, Stop))!;
        var port = host.TlsAddress.Port;
        Assert.Equal(location is null ? 200 : 308, answer.Status);
        Assert.Equal(location?.Replace("{0}", $"{port}", StringComparison.Ordinal), answer.Header("Location"));
        Assert.Null(answer.Header("Strict-Transport-Security"));

        host.Gateway.HttpsPort = 443;
        Assert.Equal(location?.Replace(":{0}", "", StringComparison.Ordinal), (await host.AskAsync(request, Stop))!.Header("Location"));
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "shop.test", Stop);
        await client.SendAsync(request, Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
    }

    [Theory]
    [Trait("Row", "ING-T10")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1")]
    [InlineData("2001:db8::1", "[2001:db8::1]")]
    [InlineData("fe80::1%3", "[fe80::1]")]
    public void Who_names_no_host_is_sent_to_the_address_it_came_to_as_a_URI_has_it(string address, string host) =>
        Assert.Equal(host, IngressPipeline.UriHost(System.Net.IPAddress.Parse(address)));

    private async Task<GatewayHost> StartAsync(RecordingBackend backend, Microsoft.Extensions.Logging.ILoggerFactory? logs = null)
    {
        var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: logs);
        host.Routes.DefaultCertificate(_authority.Issue("default").Bundle);
        return host;
    }
}
