using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Mesh.Agent.Probes;
using Mesh.Core.Pods;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>What an attempt says of its Pod: a refusal much, silence little, and one that the node could not make nothing.</summary>
public sealed class ProbeOutcomeTests
{
    private static readonly ProbeSpec Ports = ProbeSpec.PortsAccept(IPAddress.Loopback, [new ContainerPort(null, 80, TransportProtocol.Tcp)], TimeSpan.FromSeconds(1));
    private static readonly ProbeOutcome Silent = new ProbeOutcome.Silent("silent");
    private static readonly ProbeOutcome Refused = new ProbeOutcome.Refused("refused");

    [Fact]
    [Trait("Row", "DP-D5")]
    public void A_ready_Pod_without_a_probe_leaves_after_three_silences_in_a_row_or_one_refusal()
    {
        var target = Ready(Ports);
        Assert.True(After(target, Silent, Silent));
        Assert.True(After(target, ProbeOutcome.Passed.Instance, Silent, Silent));
        Assert.False(After(target, Silent));
        Assert.Equal("silent", target.Message);

        target = Ready(Ports);
        Assert.True(After(target, Silent));
        Assert.False(After(target, Refused));
    }

    [Fact]
    public void A_probe_of_the_users_own_counts_each_failure_as_it_says()
    {
        var target = Ready(ProbeSpec.Of(new Probe { Action = new ProbeAction.TcpSocket(null, new PortReference(80, null)), FailureThreshold = 2 }, IPAddress.Loopback, []));

        Assert.True(After(target, Refused));
        Assert.False(After(target, Silent));
    }

    [Theory]
    [Trait("Row", "DP-D5")]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.NoBufferSpaceAvailable)]
    [InlineData(SocketError.AddressNotAvailable)]
    public void What_the_node_lacks_says_nothing_of_a_Pod(SocketError lack)
    {
        var outcome = ProbeOutcome.Of(new SocketException((int)lack), "127.0.0.1:80");
        Assert.IsType<ProbeOutcome.NotTried>(outcome);

        var target = Ready(Ports);
        for (var i = 0; i < 100; i++)
        {
            Assert.False(target.Count(outcome)); // nothing to tell
        }

        Assert.True(target.IsReady);
        Assert.True(After(target, Silent, outcome, Silent));
        Assert.False(After(target, outcome, Silent));
    }

    [Fact]
    public void A_Pod_that_could_not_be_tried_yet_says_so()
    {
        var target = new ProbeTarget(Ports, static () => Task.CompletedTask);

        target.Count(new ProbeOutcome.NotTried("no descriptor is left"));

        Assert.Equal("Not probed yet: no descriptor is left.", target.Message);
        Assert.False(target.HasFailed);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "S-F13")]
    public async Task Hundreds_of_Pods_that_hang_take_no_turn_of_another()
    {
        var stop = TestContext.Current.CancellationToken;
        using var hanging = new TcpListener(IPAddress.Loopback, 0);
        hanging.Start(1024); // accepts, and never answers
        using var server = new CountingServer();
        await using var loop = new RunningLoop();
        var hung = Enumerable.Range(0, 540).Select(_ => loop.Add(Http(((IPEndPoint)hanging.LocalEndpoint).Port, timeout: 60))).ToList();

        var other = loop.Add(Http(server.Port, timeout: 1));
        await server.AnswerAsync(200, stop);

        Assert.True(await loop.Told.Reader.ReadAsync(stop)); // the clock stands still
        Assert.True(other.IsReady);
        Assert.All(hung, static target => Assert.Equal(0, target.Attempts));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "S-F13")]
    public async Task Where_more_hang_than_there_are_places_one_gives_way_after_a_second_and_that_counts_for_nothing()
    {
        var stop = TestContext.Current.CancellationToken;
        using var hanging = new CountingServer();
        using var server = new CountingServer();
        await using var loop = new RunningLoop(places: 2);
        var (first, second) = (loop.Add(Http(hanging.Port, timeout: 60)), loop.Add(Http(hanging.Port, timeout: 60)));
        using var taken = await hanging.AcceptAsync(stop);
        using var alsoTaken = await hanging.AcceptAsync(stop);
        var other = loop.Add(Http(server.Port, timeout: 60));
        await loop.ArmedAsync(TimeSpan.FromSeconds(1), stop);

        loop.Time.Advance(TimeSpan.FromSeconds(1));
        await server.AnswerAsync(200, stop);

        Assert.True(await loop.Told.Reader.ReadAsync(stop));
        Assert.True(other.IsReady);
        Assert.Equal((0, 0), (first.Attempts, second.Attempts));
        Assert.NotNull(second.Attempt); // only one had to
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "S-F14")]
    public async Task A_probe_leaves_no_TIME_WAIT_and_its_server_sees_an_ordinary_end()
    {
        var stop = TestContext.Current.CancellationToken;
        using var server = new CountingServer();
        var old = TimeWaits(server.Port); // of somebody who had the port before
        var runner = new ProbeRunner(TimeProvider.System);
        var ports = Ports with { Ports = [new ContainerPort(null, server.Port, TransportProtocol.Tcp)] };
        for (var i = 0; i < 5; i++)
        {
            Assert.IsType<ProbeOutcome.Passed>(await runner.TryAsync(ports, stop));
            using (var accepted = await server.AcceptOnlyAsync(stop))
            {
                Assert.Equal(0, await accepted.ReceiveAsync(new byte[1], stop));
            }

            // Either end may be the first: a server that keeps the connection, and one whose FIN comes with the answer. (Both at once
            // leave a TIME_WAIT with the server, whatever the node does.)
            await AnsweredAsync(static async (socket, answer, stop) =>
            {
                await socket.SendAsync(answer, stop);
                Assert.Equal(0, await socket.ReceiveAsync(new byte[1], stop));
            });
            await AnsweredAsync(static async (socket, answer, stop) =>
            {
                socket.SetRawSocketOption(6, 3, BitConverter.GetBytes(1)); // TCP_CORK, tcp(7)
                await socket.SendAsync(answer, stop);
                socket.Shutdown(SocketShutdown.Send);
                await Assert.ThrowsAsync<SocketException>(() => socket.ReceiveAsync(new byte[1], stop).AsTask()); // the node's reset
            });
        }

        Assert.Empty(TimeWaits(server.Port).Except(old));

        async Task AnsweredAsync(Func<Socket, byte[], CancellationToken, Task> answer)
        {
            var asked = runner.TryAsync(Http(server.Port, timeout: 60), stop);
            using (var socket = await server.AcceptAsync(stop))
            {
                await answer(socket, "HTTP/1.1 200 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), stop);
            }

            Assert.IsType<ProbeOutcome.Passed>(await asked);
        }
    }

    /// <summary>Connections of 127.0.0.1 at that port that wait in the kernel for what may still come (proc(5), state 06); others' are at other addresses.</summary>
    private static ImmutableArray<string> TimeWaits(int port)
    {
        var place = $"0100007F:{port:X4}";
        return
        [
            .. File.ReadLines("/proc/net/tcp").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(line => line is [_, var local, var remote, "06", ..] && (local == place || remote == place))
                .Select(line => $"{line[1]} {line[2]}"),
        ];
    }

    private static ProbeTarget Ready(ProbeSpec spec) => new(spec, static () => Task.CompletedTask) { IsReady = true };

    private static bool After(ProbeTarget target, params ReadOnlySpan<ProbeOutcome> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            target.Count(outcome);
        }

        return target.IsReady;
    }

    private static ProbeSpec Http(int port, int timeout) => new(
        new ProbeAction.HttpGet("HTTP", null, new PortReference(port, null), "/", []),
        IPAddress.Loopback,
        [],
        TimeSpan.Zero,
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(timeout),
        1,
        3);
}
