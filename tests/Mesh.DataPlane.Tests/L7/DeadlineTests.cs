using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>How long the gateway waits for whom.</summary>
public sealed class DeadlineTests
{
    private const int Limit = 20_000;
    private const string Get = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

    private static readonly IngressOptions Options = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X15")]
    public async Task An_endpoint_that_never_answers_is_a_504_with_its_Pod()
    {
        var time = new FakeTimeProvider();
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            received.TrySetResult();
            await connection.ReceiveUntilAsync("never");
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], time: time);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync(Get, Stop);
        await received.Task.WaitAsync(Stop); // an accepted connection may not be connected yet for the gateway

        var answer = await AdvanceUntilAsync(time, client.AnswerAsync(Stop));

        Assert.Equal(504, answer!.Status);
        Assert.StartsWith("UpstreamTimeout: Pod default/web-1 (", answer.Body, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-R08")]
    public async Task An_answer_that_has_begun_may_be_silent_for_a_day()
    {
        var time = new FakeTimeProvider();
        await using var slow = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
            await connection.ReceiveUntilAsync("never");
        });
        await using var host = await GatewayHost.StartAsync([slow.Pod("web-1")], Options with { RetryEvery = TimeSpan.FromDays(1) }, time: time);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync(Get, Stop);
        var endpoint = await slow.AcceptedAsync(Stop);
        await client.UntilAsync("data: 1", Stop);

        time.Advance(TimeSpan.FromDays(1));
        await endpoint.SendAsync("data: 2\n\n");
        Assert.Contains("data: 2", await client.UntilAsync("data: 2", Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Each_piece_of_a_body_gives_the_endpoint_its_time_anew()
    {
        var time = new FakeTimeProvider();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], time: time);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\n", Stop);
        var endpoint = await backend.AcceptedAsync(Stop);
        for (var piece = 1; piece <= 4; piece++)
        {
            await client.SendAsync("x", Stop);
            while (!endpoint.Received.EndsWith(new string('x', piece), StringComparison.Ordinal))
            {
                await Task.Yield();
            }

            time.Advance(Options.AnswerTimeout * 0.4);
        }

        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("Content-Length: 4\r\n\r\nx")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n7FFFFFFF\r\nx")]
    [Trait("Row", "REL-H090")]
    public async Task A_body_that_stops_coming_is_the_clients_fault(string bodyAndFraming)
    {
        var time = new ArmedTime(Options.AnswerTimeout);
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], time: time);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: app.test\r\n" + bodyAndFraming, Stop);
        var endpoint = await backend.AcceptedAsync(Stop);
        while (!endpoint.Received.TrimEnd().EndsWith('x'))
        {
            await Task.Yield();
        }

        await time.ArmedAsync(4, Stop); // for the attempt, for the body, for the piece that came, and for the one that does not
        var answer = await AdvanceUntilAsync(time, client.AnswerAsync(Stop));
        Assert.Equal((408, "RequestTimeout: no byte of the request's body came for 100 s\n"), (answer!.Status, answer.Body));
    }

    /// <param name="seconds">Long where the other endpoint has to be connected within it, however busy the machine is.</param>
    [Theory(Timeout = 3 * Limit)]
    [InlineData(true, 200, 10)]
    [InlineData(false, 504, 1)]
    [Trait("Row", "REL-X16")]
    public async Task An_endpoint_that_does_not_accept_in_time_gives_way_to_another(bool hasOther, int status, int seconds)
    {
        using var full = new FullBacklog();
        await using var backend = new RecordingBackend();
        SomePod[] pods = hasOther ? [new SomePod("full", full.Address), backend.Pod("web-1")] : [new SomePod("full", full.Address)];
        await using var host = await GatewayHost.StartAsync(pods, Options with { ConnectTimeout = TimeSpan.FromSeconds(seconds) });

        // Either endpoint may be the first to be tried, until it is the full one.
        while (host.Suspects.Pods.IsEmpty)
        {
            var answer = await host.AskAsync("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc", Stop);
            Assert.Equal(status, answer!.Status);
        }

        Assert.Equal("full", Assert.Single(host.Suspects.Pods));
        Assert.All(backend.Requests, request => Assert.Equal("abc", request.Body));
    }

    /// <summary>Lets short times pass until it is there: shorter than any other limit than the one that is meant.</summary>
    private static async Task<T> AdvanceUntilAsync<T>(FakeTimeProvider time, Task<T> wanted)
    {
        while (!wanted.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        return await wanted;
    }

    /// <summary>Tells each time that a timer is set to one certain time.</summary>
    private sealed class ArmedTime(TimeSpan limit) : FakeTimeProvider
    {
        private int _armed;

        public async Task ArmedAsync(int times, CancellationToken stop)
        {
            while (Volatile.Read(ref _armed) < times)
            {
                stop.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(base.CreateTimer(callback, state, dueTime, period), this);
            Count(dueTime);
            return timer;
        }

        private void Count(TimeSpan dueTime)
        {
            if (dueTime == limit)
            {
                Interlocked.Increment(ref _armed);
            }
        }

        private sealed class Timer(ITimer timer, ArmedTime time) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                var changed = timer.Change(dueTime, period);
                time.Count(dueTime);
                return changed;
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }

    /// <summary>A listener that nobody accepts from and whose backlog is full: the kernel drops further SYNs.</summary>
    private sealed class FullBacklog : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> _clients = [];

        public FullBacklog()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(1);
            for (var client = 0; client < 8; client++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                _clients.Add(socket);
                try
                {
                    socket.Connect(Address);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
                {
                    // One that fits, or is left waiting.
                }
            }
        }

        public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

        public void Dispose()
        {
            _clients.ForEach(client => client.Dispose());
            _listener.Dispose();
        }
    }
}
