using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Mesh.Agent.Probes;
using Mesh.Core.Pods;
using Mesh.Core.Services;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>Probes as a real server sees them: how many, when, and what they change.</summary>
public sealed class ProbeTests
{
    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-S30")]
    public async Task A_Pod_turns_ready_and_not_ready_exactly_at_its_thresholds()
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        var target = loop.Add(Http(server.Port, success: 2, failure: 3));

        Assert.False(await loop.AttemptAsync(server, 200, stop));
        Assert.True(await loop.AttemptAsync(server, 302, stop));
        Assert.True(await loop.AttemptAsync(server, 500, stop));
        Assert.True(await loop.AttemptAsync(server, 404, stop));
        Assert.True(await loop.AttemptAsync(server, 200, stop));
        Assert.True(await loop.AttemptAsync(server, 500, stop));
        Assert.True(await loop.AttemptAsync(server, 500, stop));
        Assert.False(await loop.AttemptAsync(server, 500, stop));

        Assert.Equal(8, server.Requests.Count);
        Assert.Contains("status 500", target.Message, StringComparison.Ordinal);
        Assert.All(server.Requests, request => Assert.StartsWith("GET /ready HTTP/1.1", request, StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_first_attempt_waits_for_the_initial_delay_and_the_next_for_the_period()
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        loop.Add(Http(server.Port, success: 1, failure: 1) with { InitialDelay = TimeSpan.FromSeconds(5) });

        await loop.ArmedAsync(TimeSpan.FromSeconds(5), stop);
        loop.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Empty(server.Requests);
        loop.Time.Advance(TimeSpan.FromSeconds(0.1));
        await server.AnswerAsync(200, stop);
        await loop.ArmedAsync(TimeSpan.FromSeconds(10), stop);
        loop.Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Single(server.Requests);
        loop.Time.Advance(TimeSpan.FromSeconds(0.1));
        await server.AnswerAsync(200, stop);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_server_that_does_not_answer_in_time_has_failed()
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        var target = loop.Add(Http(server.Port, success: 1, failure: 1));
        await server.AcceptAsync(stop);

        loop.Time.Advance(TimeSpan.FromSeconds(1));

        await loop.Told.Reader.ReadAsync(stop);
        Assert.False(target.IsReady);
        Assert.Contains("within 1 s", target.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_Pod_without_probe_is_ready_while_its_ports_accept_and_tried_at_once_when_suspected()
    {
        var stop = TestContext.Current.CancellationToken;
        var server = new CountingServer();
        var port = server.Port;
        await using var loop = new RunningLoop();
        var target = loop.Add(ProbeSpec.PortsAccept(IPAddress.Loopback, [new ContainerPort(null, port, TransportProtocol.Tcp)], TimeSpan.FromSeconds(1)));
        Assert.True(await loop.Told.Reader.ReadAsync(stop));

        await loop.ArmedAsync(TimeSpan.FromSeconds(1), stop);
        server.Dispose();
        loop.Time.Advance(TimeSpan.FromMilliseconds(100));
        loop.Suspect(port);

        Assert.False(await loop.Told.Reader.ReadAsync(stop));
        Assert.False(target.IsReady);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_Pod_whose_ports_do_not_accept_is_reported_as_Unhealthy_until_they_do()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // nobody else gets the port, and nobody accepts there
        var port = ((IPEndPoint)silent.LocalEndPoint!).Port;
        using var curl = Curl.Put(agent.Url, "web", $$"""{"ports":[{"containerPort":{{port}} } ] }""");
        await curl.LineAsync(stop);

        var failed = await agent.ReportAsync(told => told.Reason == PodReasons.Unhealthy, stop);
        Assert.False(failed.Ready);
        Assert.Contains($"127.0.0.1:{port}", failed.Message, StringComparison.Ordinal);
        silent.Listen();
        Assert.Equal("", (await agent.ReportAsync(told => told.Ready, stop)).Reason);
    }

    [Fact(Timeout = 60_000)]
    public async Task Ten_thousand_Pods_are_probed_by_one_timer()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var loop = new RunningLoop();
        for (var i = 0; i < 10_000; i++)
        {
            // Without a port there is nothing to try: what is measured is the loop.
            loop.Add(ProbeSpec.PortsAccept(IPAddress.Loopback, [], TimeSpan.FromSeconds(1)));
        }

        for (var i = 0; i < 10_000; i++)
        {
            Assert.True(await loop.Told.Reader.ReadAsync(stop));
        }
    }

    [Fact]
    public void A_spec_read_twice_is_the_same_and_one_with_another_header_is_not()
    {
        var one = Http(80, 1, 3);
        var header = one with { Action = ((ProbeAction.HttpGet)one.Action!) with { Headers = [("a", "b")] } };
        Assert.True(one.IsSame(Http(80, 1, 3)));
        Assert.False(one.IsSame(header));
        Assert.False(one.IsSame(one with { Period = TimeSpan.FromSeconds(1) }));
        Assert.False(one.IsSame(one with { Action = null }));
    }

    private static ProbeSpec Http(int port, int success, int failure) => new(
        new ProbeAction.HttpGet("HTTP", null, new PortReference(port, null), "/ready", []),
        IPAddress.Loopback,
        [],
        TimeSpan.Zero,
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(1),
        success,
        failure);

    private sealed class RunningLoop : IAsyncDisposable
    {
        private readonly ArmedTime _time = new();
        private readonly CancellationTokenSource _stop = new();
        private readonly ProbeRunner _runner;
        private readonly ProbeLoop _loop;
        private readonly Task _running;
        private ProbeTarget? _target;

        public RunningLoop()
        {
            _runner = new ProbeRunner(_time);
            _loop = new ProbeLoop(_runner, _time, NullLogger.Instance);
            _running = _loop.RunAsync(_stop.Token);
        }

        public FakeTimeProvider Time => _time;

        public Channel<bool> Told { get; } = Channel.CreateBounded<bool>(20_000);

        public ProbeTarget Add(ProbeSpec spec)
        {
            ProbeTarget? target = null;
            target = new ProbeTarget(spec, async () => await Told.Writer.WriteAsync(target!.IsReady));
            _target = target;
            _loop.Add(target);
            return target;
        }

        public void Suspect(int port) => _loop.Suspect(new IPEndPoint(IPAddress.Loopback, port));

        /// <summary>Waits until the loop's timer is set to go off after that.</summary>
        public async Task ArmedAsync(TimeSpan after, CancellationToken stop)
        {
            while (await _time.Armed.Reader.ReadAsync(stop) != after)
            {
            }
        }

        /// <summary>Lets one attempt happen, and says whether the Pod is ready after it.</summary>
        public async Task<bool> AttemptAsync(CountingServer server, int status, CancellationToken stop)
        {
            var before = _target!.Attempts;
            if (before > 0)
            {
                Time.Advance(TimeSpan.FromSeconds(10));
            }

            await server.AnswerAsync(status, stop);
            while (_target.Attempts == before)
            {
                // The loop sets its timer anew after each result.
                await _time.Armed.Reader.ReadAsync(stop);
            }

            return _target.IsReady;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _loop.Dispose();
            _runner.Dispose();
            _stop.Dispose();
        }
    }

    /// <summary>Tells what timers are set to.</summary>
    private sealed class ArmedTime : FakeTimeProvider
    {
        public Channel<TimeSpan> Armed { get; } = Channel.CreateBounded<TimeSpan>(100_000);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(base.CreateTimer(callback, state, dueTime, period), Armed);

        private sealed class Timer(ITimer timer, Channel<TimeSpan> armed) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                var changed = timer.Change(dueTime, period);
                armed.Writer.TryWrite(dueTime);
                return changed;
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }

    /// <summary>A server that counts what it is asked and answers when the test says so.</summary>
    private sealed class CountingServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private ImmutableList<string> _requests = [];

        public CountingServer() => _listener.Start();

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public ImmutableList<string> Requests => _requests;

        public async Task<Socket> AcceptAsync(CancellationToken stop)
        {
            var socket = await _listener.AcceptSocketAsync(stop);
            var buffer = new byte[4096];
            var length = 0;
            while (!Encoding.ASCII.GetString(buffer, 0, length).EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                length += await socket.ReceiveAsync(buffer.AsMemory(length), stop);
            }

            ImmutableInterlocked.Update(ref _requests, list => list.Add(Encoding.ASCII.GetString(buffer, 0, length)));
            return socket;
        }

        public async Task AnswerAsync(int status, CancellationToken stop)
        {
            using var socket = await AcceptAsync(stop);
            var answer = $"HTTP/1.1 {status} X\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            await socket.SendAsync(Encoding.ASCII.GetBytes(answer), stop);
            socket.Shutdown(SocketShutdown.Send);
        }

        public void Dispose() => _listener.Dispose();
    }
}
