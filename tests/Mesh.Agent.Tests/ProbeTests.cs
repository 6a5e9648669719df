using System.Net;
using System.Net.Sockets;
using Mesh.Agent.Probes;
using Mesh.Core.Pods;
using Mesh.Core.Services;
using Mesh.Testing.Backends;
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

    [Theory(Timeout = 30_000)]
    [InlineData("/%7Euser", "/%7Euser")]
    [InlineData("/a/../b", "/a/../b")]
    [InlineData("/a//b/./c?x=%2F&y=/../", "/a//b/./c?x=%2F&y=/../")]
    [InlineData("/a b\r\nX: y#z", "/a%20b%0D%0AX:%20y")]
    public async Task A_path_is_asked_for_as_it_was_written(string path, string asked)
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        var spec = Http(server.Port, success: 1, failure: 1);
        loop.Add(spec with { Action = ((ProbeAction.HttpGet)spec.Action!) with { Path = path } });

        Assert.True(await loop.AttemptAsync(server, 200, stop));

        Assert.StartsWith($"GET {asked} HTTP/1.1\r\n", server.Requests.Single(), StringComparison.Ordinal);
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
        var port = FreePort.Next(); // that nobody else gets when this server has gone
        using var server = new CountingServer(port);
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
    public async Task Ten_thousand_Pods_are_probed_and_each_one_is_told_of()
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

    [Theory(Timeout = 30_000)]
    [InlineData(int.MaxValue, 0)]
    [InlineData(4_294_968, 0)]
    [InlineData(10, int.MaxValue)]
    public async Task A_probe_that_is_due_in_68_years_keeps_no_other_Pod_from_being_probed(int period, int initialDelay)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var loop = new RunningLoop();
        loop.Add(ProbeSpec.PortsAccept(IPAddress.Loopback, [], TimeSpan.FromSeconds(period)) with { InitialDelay = TimeSpan.FromSeconds(initialDelay) });
        await loop.ArmedAsync(initialDelay > 0 || period > 10 ? TimeSpan.FromHours(1) : TimeSpan.FromSeconds(period), stop);

        var other = loop.Add(ProbeSpec.PortsAccept(IPAddress.Loopback, [], TimeSpan.FromSeconds(1)));

        while (!other.IsReady)
        {
            Assert.True(await loop.Told.Reader.ReadAsync(stop));
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_timeout_of_68_years_is_one_that_a_timer_can_wait_for()
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        var probe = new Probe
        {
            Action = new ProbeAction.HttpGet("HTTP", null, new PortReference(server.Port, null), "/", []),
            Timeout = TimeSpan.FromSeconds(int.MaxValue),
            FailureThreshold = int.MaxValue,
        };
        loop.Add(ProbeSpec.Of(probe, IPAddress.Loopback, []));

        Assert.True(await loop.AttemptAsync(server, 200, stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "probes")]
    public async Task An_exception_in_the_loop_is_logged_and_the_Pods_are_probed_on()
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        loop.Time.FailOnce = true;
        loop.Add(Http(server.Port, success: 1, failure: 1));
        await loop.ArmedAsync(TimeSpan.FromSeconds(1), stop); // the probe's own timeout: the attempt begins before the fault
        await server.AnswerAsync(200, stop);
        Assert.True(await loop.Told.Reader.ReadAsync(stop));

        Assert.IsType<ArithmeticException>(await loop.Loops.EndedAsync("probes", stop));
        await loop.ArmedAsync(TimeSpan.FromSeconds(10), stop);
        loop.Time.Advance(TimeSpan.FromSeconds(10));
        await server.AnswerAsync(500, stop);

        Assert.False(await loop.Told.Reader.ReadAsync(stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_result_that_could_not_be_told_is_told_after_the_next_attempt()
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        loop.FailToTell = true;
        loop.Add(Http(server.Port, success: 1, failure: 1));
        await server.AnswerAsync(200, stop);
        await loop.ArmedAsync(TimeSpan.FromSeconds(10), stop);
        Assert.False(loop.Told.Reader.TryRead(out _));

        loop.Time.Advance(TimeSpan.FromSeconds(10));
        await server.AnswerAsync(200, stop);

        Assert.True(await loop.Told.Reader.ReadAsync(stop));
        Assert.IsType<IOException>(Assert.Single(loop.Errors));
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
}
