using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Which requests are brought to another endpoint, and what spans and the access log say of it.</summary>
public sealed class AttemptTests
{
    private const int Limit = 60_000;
    private const string Request = "{0} / HTTP/1.1\r\nHost: app.test\r\n\r\n";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")]
    [InlineData("DELETE / HTTP/1.1\r\nHost: app.test\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc")]
    [Trait("Row", "REL-X24")]
    [Trait("Row", "DP-D14")]
    public async Task An_endpoint_that_refuses_costs_no_request_of_any_method_and_is_told_of_once(string request)
    {
        using var lines = new ToldLines();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([new SomePod("gone", L4Host.FreeClusterIP()), backend.Pod("web-1")], logs: lines);

        for (var number = 0; number < 20; number++)
        {
            Assert.Equal(200, (await host.AskAsync(request, Stop))!.Status);
        }

        Assert.Equal(20, backend.Requests.Count);
        Assert.Contains("gone", host.Suspects.Pods);
        Assert.Single(lines.With("Pod default/gone of Service default/web took no connection"));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D2")]
    public async Task A_request_whose_only_endpoint_was_replaced_meanwhile_is_brought_to_the_one_in_its_place()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([new SomePod("old", L4Host.FreeClusterIP())]);
        host.Suspects.MeanwhileDo = () => host.Routes.Service("web", "127.97.0.1", 80, backend.Pod("new"));

        var answer = await host.AskAsync("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc", Stop);

        Assert.Equal(200, answer!.Status);
        Assert.Equal(["old"], host.Suspects.Pods);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D8")]
    public async Task An_error_of_the_gateways_own_is_told_as_one_and_takes_no_other_request_its_place()
    {
        using var lines = new AccessLines();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync(
            [new SomePod("gone", L4Host.FreeClusterIP())], new IngressOptions { MaxActiveRequests = 1 }, lines);
        host.Suspects.MeanwhileDo = static () => throw new InvalidOperationException("planted");
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync(Format("GET"), Stop);
        var answer = await client.AnswerAsync(Stop);

        Assert.Equal((500, "GatewayFailed: the gateway failed, and its log says how\n"), (answer!.Status, answer.Body));
        var line = await lines.NextAsync(Stop);
        Assert.Equal((500, "GatewayFailed"), (line["code"], line["reason"]));

        host.Routes.Service("web", "127.97.0.1", 80, backend.Pod("web-1"));
        await client.SendAsync(Format("GET"), Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D2")]
    public async Task Who_is_replaced_faster_than_it_is_tried_is_given_up()
    {
        var number = 0;
        await using var host = await GatewayHost.StartAsync([new SomePod("web-0", L4Host.FreeClusterIP())], new IngressOptions { MaxAttempts = 10 });
        host.Suspects.MeanwhileDo = () => host.Routes.Service("web", "127.97.0.1", 80, new SomePod($"web-{++number}", L4Host.FreeClusterIP()));

        Assert.Equal(502, (await host.AskAsync(Format("GET"), Stop))!.Status);

        Assert.Equal(["web-0", "web-1"], host.Suspects.Pods);
    }

    [Theory(Timeout = Limit)]
    [InlineData("GET", 200)]
    [InlineData("HEAD", 200)]
    [InlineData("OPTIONS", 200)]
    [InlineData("DELETE", 502)]
    [InlineData("POST", 502)]
    [Trait("Row", "REL-R02")]
    [Trait("Row", "ING-R14")]
    public async Task Without_a_byte_of_an_answer_only_safe_methods_are_tried_once_more(string method, int status)
    {
        await using var backend = new RecordingBackend(FirstClosesAsync());
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);

        await client.SendAsync(Format(method), Stop);

        Assert.Equal(status, (await client.AnswerAsync(Stop, toHead: true))!.Status);
        Assert.Equal(status == 200 ? 2 : 1, backend.Connections.Count);
    }

    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "REL-R03")]
    public async Task No_request_is_sent_a_third_time(bool reset)
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            if (reset)
            {
                connection.Reset();
            }
            else
            {
                connection.Close();
            }
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        var answer = await host.AskAsync(Format("GET"), Stop);

        Assert.Equal(502, answer!.Status);
        Assert.StartsWith("UpstreamFailed: Pod default/web-1 (", answer.Body, StringComparison.Ordinal);
        Assert.Equal(2, backend.Connections.Count);
    }

    [Theory(Timeout = Limit)]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("HTTP/1.1 99 Odd\r\n\r\n")]
    [InlineData("HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nx")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nx")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")]
    [Trait("Row", "REL-R04")]
    [Trait("Row", "REL-R11")]
    [Trait("Row", "REL-R18")]
    [Trait("Row", "REL-R40")]
    [Trait("Row", "REL-R48")]
    public async Task An_answer_that_is_none_is_a_502_and_is_not_asked_for_again(string bytes)
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync(connection.Received.Contains("GET /next", StringComparison.Ordinal) ? RecordingBackend.Ok : bytes);
            connection.Finish();
            await connection.ReceiveAsync();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.Equal(502, (await host.AskAsync(Format("GET"), Stop))!.Status);
        Assert.Single(backend.Connections);
        Assert.Equal("ok", (await host.AskAsync("GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop))!.Body);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-R16")]
    public async Task An_answer_that_is_cut_never_ends_cleanly()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
            connection.Close();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync(Format("GET"), Stop);

        Assert.DoesNotContain("\r\n0\r\n", await client.ToEndAsync(Stop), StringComparison.Ordinal);
        Assert.Single(backend.Connections);
    }

    [Fact(Timeout = Limit)]
    public async Task A_client_that_goes_cancels_its_request_and_is_logged_as_499()
    {
        using var logs = new Lines();
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.ReceiveAsync();
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], new IngressOptions { HalfClosedTimeout = TimeSpan.FromMilliseconds(50) }, logs);
        var client = await host.ConnectAsync(Stop);
        await client.SendAsync(Format("GET"), Stop);
        var connection = await backend.AcceptedAsync(Stop);
        client.Dispose();

        await connection.Ended.WaitAsync(Stop);
        Assert.Contains(" 499 ", await logs.NextAsync(Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-F08")]
    [Trait("Row", "ECO-7.2")]
    public async Task A_request_is_one_trace_with_a_CLIENT_span_for_each_attempt()
    {
        const string traceId = "0af7651916cd43dd8448eb211c80319c";
        var spans = new ConcurrentQueue<Activity>();
        var served = new TaskCompletionSource<Activity>(TaskCreationOptions.RunContinuationsAsynchronously); // it may end after the answer and the line
        using var listener = SpansOf(traceId, span =>
        {
            spans.Enqueue(span);
            if (span.Kind == ActivityKind.Server)
            {
                served.TrySetResult(span);
            }
        });
        using var logs = new Lines();
        await using var backend = new RecordingBackend(FirstClosesAsync());
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: logs);

        var answer = await host.AskAsync($"GET /x?token=1 HTTP/1.1\r\nHost: app.test\r\ntraceparent: 00-{traceId}-b7ad6b7169203331-01\r\ntracestate: a=b\r\nbaggage: a=1\r\nbaggage: b=2\r\n\r\n", Stop);
        var line = await logs.NextAsync(Stop);

        Assert.Equal(traceId, answer!.Header("X-Request-ID"));
        Assert.Contains($"trace_id={traceId}", line, StringComparison.Ordinal);
        Assert.Contains("GET app.test/x 200 ", line, StringComparison.Ordinal);
        Assert.Contains("route=app.test/ service=default/web pod=default/web-1 attempts=2 reason=-", line, StringComparison.Ordinal);
        var server = await served.Task.WaitAsync(Stop);
        Assert.Equal(("GET app.test/", "b7ad6b7169203331"), (server.DisplayName, server.ParentSpanId.ToHexString()));
        Assert.Equal("app.test/", server.GetTagItem("http.route"));
        Assert.Equal("/x", server.GetTagItem("url.path"));
        Assert.Equal("REDACTED", server.GetTagItem("url.query"));
        Assert.Equal("web", server.GetTagItem("k8s.service.name"));
        Assert.Equal(200, server.GetTagItem("http.response.status_code"));
        Assert.Equal(ActivityStatusCode.Unset, server.Status);

        var attempts = spans.Where(span => span.Kind == ActivityKind.Client).ToArray();
        Assert.Equal(2, attempts.Length);
        Assert.All(attempts, span => Assert.Equal(server.SpanId, span.ParentSpanId));
        Assert.All(attempts, span => Assert.Equal(("web-1", "web"), (span.GetTagItem("k8s.pod.name"), span.GetTagItem("peer.service"))));
        Assert.Equal(["GET default/web", "GET default/web (attempt 2)"], attempts.Select(span => span.DisplayName));
        Assert.Equal((ActivityStatusCode.Error, "NotAnswered", "UpstreamFailed"), (attempts[0].Status, attempts[0].GetTagItem("error.type"), attempts[0].GetTagItem("mesh.response_flag")));
        Assert.StartsWith("Pod default/web-1 (127.0.0.1:", attempts[0].StatusDescription, StringComparison.Ordinal);
        Assert.Contains("gave no answer", attempts[0].StatusDescription, StringComparison.Ordinal);
        Assert.Equal(attempts[0].StatusDescription, attempts[0].GetTagItem("mesh.response_detail"));
        Assert.Equal((ActivityStatusCode.Unset, 1), (attempts[1].Status, attempts[1].GetTagItem("http.request.resend_count")));
        Assert.Equal(attempts[1].Id, backend.Requests.Single(request => request.Header("traceparent") == attempts[1].Id).Header("traceparent"));
        Assert.Equal(server.Id, answer.Header("traceresponse"));
        Assert.Equal("a=b", backend.Requests[0].Header("tracestate"));
        Assert.Equal("a=1,b=2", backend.Requests[0].Header("baggage"));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("nobody.test", 404, "NoMatchingHost", ActivityStatusCode.Unset)]
    [InlineData("app.test", 503, "NoEndpoints", ActivityStatusCode.Error)]
    [Trait("Row", "ECO-7.2")]
    public async Task The_sentence_of_a_refusal_is_on_the_span(string name, int status, string reason, ActivityStatusCode spanStatus)
    {
        var traceId = ActivityTraceId.CreateRandom().ToHexString();
        var spans = Channel.CreateBounded<Activity>(4);
        using var listener = SpansOf(traceId, span => spans.Writer.TryWrite(span));
        await using var host = await GatewayHost.StartAsync([]);

        var answer = await host.AskAsync($"GET /x HTTP/1.1\r\nHost: {name}\r\ntraceparent: 00-{traceId}-b7ad6b7169203331-01\r\n\r\n", Stop);
        var span = await spans.Reader.ReadAsync(Stop);

        Assert.Equal((status, reason, spanStatus), (span.GetTagItem("http.response.status_code"), span.GetTagItem("mesh.response_flag"), span.Status));
        Assert.Equal($"{reason}: {span.GetTagItem("mesh.response_detail")}\n", answer!.Body);
        Assert.Equal(spanStatus == ActivityStatusCode.Error ? span.GetTagItem("mesh.response_detail") : null, span.StatusDescription);
    }

    private static ActivityListener SpansOf(string traceId, Action<Activity> stopped)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == IngressTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId.ToHexString() == traceId)
                {
                    stopped(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private static string Format(string method) => Request.Replace("{0}", method, StringComparison.Ordinal);

    /// <summary>Closes its first connection when the request is there, as a server does whose idle limit was reached.</summary>
    private static Func<BackendConnection, Task> FirstClosesAsync()
    {
        var connections = 0;
        return async connection =>
        {
            if (Interlocked.Increment(ref connections) > 1)
            {
                await connection.AnswerEachAsync(RecordingBackend.Ok);
                return;
            }

            await connection.ReceiveUntilAsync("\r\n\r\n");
            connection.Close();
        };
    }

    /// <summary>The access log, line by line.</summary>
    private sealed class Lines : ILoggerFactory, ILogger
    {
        private readonly System.Threading.Channels.Channel<string> _lines = System.Threading.Channels.Channel.CreateBounded<string>(100);

        public async Task<string> NextAsync(CancellationToken stop) => await _lines.Reader.ReadAsync(stop);

        public ILogger CreateLogger(string categoryName) =>
            categoryName == "Mesh.Ingress.Access" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Writer.TryWrite(formatter(state, exception));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
