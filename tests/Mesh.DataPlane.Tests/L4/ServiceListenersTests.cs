using System.Net;
using System.Net.Sockets;
using Mesh.Core.Descriptors;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.Listening;
using Mesh.DataPlane.Tests.Support;
using Mesh.Loops;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L4;

/// <summary>TCP to ClusterIPs, over real sockets.</summary>
public sealed class ServiceListenersTests
{
    private const int Limit = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task A_connection_reaches_an_endpoint_and_bytes_flow_both_ways()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var address = await host.ServeAsync(backend.Pod("web-1"));

        using var client = await L4Host.ConnectAsync(address, Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Stop);

        Assert.Equal("ok", (await client.AnswerAsync(Stop))!.Body);
        Assert.Equal("GET / HTTP/1.1\r\nHost: x\r\n\r\n", backend.Received);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X26")]
    public async Task A_Service_without_endpoints_refuses_and_the_first_endpoint_opens_it()
    {
        await using var backend = new RecordingBackend();
        await using var host = new L4Host();
        var address = await host.ServeAsync(backend.Pod("web-1", ready: false));

        await L4Host.RefusedAsync(address, Stop);
        host.Routes.Service("web", address.Address.ToString(), address.Port, backend.Pod("web-1"));
        (await L4Host.ConnectAsync(address, Stop)).Dispose();
        host.Routes.Service("web", address.Address.ToString(), address.Port);
        await L4Host.RefusedAsync(address, Stop);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "SVC-U4")]
    public async Task No_change_of_endpoints_cuts_a_connection()
    {
        await using var backend = new RecordingBackend();
        await using var host = new L4Host();
        var address = await host.ServeAsync(backend.Pod("web-1"));
        using var client = await L4Host.ConnectAsync(address, Stop);
        await client.SendAsync("GET /1 HTTP/1.1\r\n\r\n", Stop);
        Assert.Equal("ok", (await client.AnswerAsync(Stop))!.Body);

        host.Routes.RemoveService("web");
        await L4Host.RefusedAsync(address, Stop);

        await client.SendAsync("GET /2 HTTP/1.1\r\n\r\n", Stop);
        Assert.Equal("ok", (await client.AnswerAsync(Stop))!.Body);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "SVC-U7")]
    public async Task A_client_that_half_closes_still_reads()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            while (await connection.ReceiveAsync())
            {
            }

            await connection.SendAsync("late");
            connection.Finish();
        });
        await using var host = new L4Host();
        var address = await host.ServeAsync(backend.Pod("web-1"));

        using var client = await L4Host.ConnectAsync(address, Stop);
        await client.SendAsync("all", Stop);
        client.Socket.Shutdown(SocketShutdown.Send);

        Assert.Equal("late", await client.ToEndAsync(Stop));
        Assert.Equal("all", backend.Received);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "S-F10")]
    public async Task A_client_that_has_ended_its_side_and_then_goes_leaves_nothing_open()
    {
        var time = new FakeTimeProvider();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            while (await connection.ReceiveAsync())
            {
            }

            ended.TrySetResult();
            await gone.Task; // it neither sends nor closes
        });
        await using var host = new L4Host(time: time);
        var address = await host.ServeAsync(backend.Pod("web-1"));
        using var client = await L4Host.ConnectAsync(address, Stop);
        client.Socket.Shutdown(SocketShutdown.Send);
        await ended.Task.WaitAsync(Stop);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, host.Listeners.OpenConnections); // it may still read

        client.Socket.Close(timeout: 0);
        while (host.Listeners.OpenConnections > 0)
        {
            time.Advance(TimeSpan.FromSeconds(15));
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        gone.TrySetResult();
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "SVC-U7")]
    public async Task An_endpoint_that_half_closes_still_reads()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.SendAsync("early");
            connection.Finish();
            while (await connection.ReceiveAsync())
            {
            }
        });
        await using var host = new L4Host();
        var address = await host.ServeAsync(backend.Pod("web-1"));

        using var client = await L4Host.ConnectAsync(address, Stop);
        Assert.Equal("early", await client.ToEndAsync(Stop));
        await client.SendAsync("after your end", Stop);
        client.Socket.Shutdown(SocketShutdown.Send);
        await (await backend.AcceptedAsync(Stop)).Ended.WaitAsync(Stop);

        Assert.Equal("after your end", backend.Received);
    }

    [Fact(Timeout = Limit)]
    public async Task A_reset_of_either_side_resets_the_other()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("reset me");
            if (connection.Received.Contains("please", StringComparison.Ordinal))
            {
                connection.Reset();
            }
            else
            {
                await connection.ReceiveAsync();
            }
        });
        await using var host = new L4Host();
        var address = await host.ServeAsync(backend.Pod("web-1"));

        using var asking = await L4Host.ConnectAsync(address, Stop);
        await asking.SendAsync("please reset me", Stop);
        var reset = await Assert.ThrowsAsync<SocketException>(async () => await asking.Socket.ReceiveAsync(new byte[1], Stop));
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        await backend.AcceptedAsync(Stop);

        var resetting = await L4Host.ConnectAsync(address, Stop);
        var connection = await backend.AcceptedAsync(Stop);
        await resetting.SendAsync("reset me", Stop);
        resetting.Socket.Close(timeout: 0);
        await connection.Ended.WaitAsync(Stop);
        Assert.True(connection.SawReset);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X24")]
    [Trait("Row", "DP-D14")]
    public async Task An_endpoint_that_refuses_costs_no_client_its_connection_and_is_suspected_and_told_of_once_a_minute()
    {
        using var lines = new ToldLines();
        var time = new FakeTimeProvider();
        await using var backend = new RecordingBackend();
        await using var host = new L4Host(time: time, log: lines);
        var address = L4Host.FreeClusterIP();
        var gone = new SomePod("gone", L4Host.FreeClusterIP());
        host.Routes.Service("web", address.Address.ToString(), address.Port, gone, backend.Pod("web-1"));
        await host.StartAsync();

        for (var connection = 0; connection < 40; connection++)
        {
            using var client = await L4Host.ConnectAsync(address, Stop);
            await client.SendAsync("GET / HTTP/1.1\r\n\r\n", Stop);
            Assert.Equal("ok", (await client.AnswerAsync(Stop))!.Body);
        }

        Assert.NotEmpty(host.Suspects.Pods);
        Assert.All(host.Suspects.Pods, pod => Assert.Equal("gone", pod));
        Assert.EndsWith("; 1 times since this was last said", Assert.Single(lines.With("Pod default/gone of Service default/web took no connection")), StringComparison.Ordinal);

        var attempts = host.Suspects.Pods.Count;
        time.Advance(ToldSeldom.Every);
        while (host.Suspects.Pods.Count == attempts)
        {
            await L4Host.AnswersAsync(address, Stop);
        }

        Assert.EndsWith($"; {attempts} times since this was last said", lines.With("took no connection")[1], StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D2")]
    public async Task A_client_whose_only_endpoint_was_replaced_meanwhile_is_brought_to_the_one_in_its_place()
    {
        await using var backend = new RecordingBackend();
        await using var host = new L4Host();
        var address = await host.ServeAsync(new SomePod("old", L4Host.FreeClusterIP()));
        host.Suspects.MeanwhileDo = () => host.Routes.Service("web", address.Address.ToString(), address.Port, backend.Pod("new"));

        using var client = await L4Host.ConnectAsync(address, Stop);
        await client.SendAsync("GET / HTTP/1.1\r\n\r\n", Stop);

        Assert.Equal("ok", (await client.AnswerAsync(Stop))!.Body);
        Assert.Equal(["old"], host.Suspects.Pods);
    }

    [Fact(Timeout = Limit)]
    public async Task Each_endpoint_gets_its_share()
    {
        await using var one = new RecordingBackend();
        await using var two = new RecordingBackend();
        await using var three = new RecordingBackend();
        await using var host = new L4Host();
        var address = await host.ServeAsync(one.Pod("a"), two.Pod("b"), three.Pod("c"));

        for (var connection = 0; connection < 90; connection++)
        {
            using var client = await L4Host.ConnectAsync(address, Stop);
            await client.SendAsync("GET / HTTP/1.1\r\n\r\n", Stop);
            await client.AnswerAsync(Stop);
        }

        // The seed is fixed; a fair choice leaves none of three with fewer than 15 of 90 but once in 3,000 seeds.
        Assert.All([one, two, three], backend => Assert.InRange(backend.Connections.Count, 15, 45));
    }

    [Fact(Timeout = Limit)]
    public async Task A_port_that_another_holds_is_reported_by_its_holder_and_taken_when_it_is_free()
    {
        await using var backend = new RecordingBackend();
        var time = new FakeTimeProvider();
        await using var host = new L4Host(time: time);
        var address = L4Host.FreeClusterIP();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Any, address.Port));
        other.Listen();
        host.Routes.Service("web", address.Address.ToString(), address.Port, backend.Pod("web-1"));
        await host.StartAsync();

        var taken = Assert.IsType<PortProblem.Taken>(await host.Problems.ReportedAsync(Stop));
        Assert.Equal(Environment.ProcessId, taken.Holder!.ProcessId);
        Assert.Contains($"process {Environment.ProcessId} (", taken.Message, StringComparison.Ordinal);

        other.Dispose();
        var solved = host.Problems.SolvedAsync(Stop);
        while (!solved.IsCompleted)
        {
            time.Advance(new ServiceListenerOptions().RetryEvery); // again, as the loop may not wait for its timer yet
            await Task.Yield();
        }

        Assert.Equal(address, await solved);
        (await L4Host.ConnectAsync(address, Stop)).Dispose();
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "S-F2")]
    public async Task A_Service_that_has_its_share_accepts_nobody_until_one_has_gone_and_other_Services_go_on()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        var budget = new DescriptorBudget(320 + 14);
        await using var host = new L4Host(new ServiceListenerOptions { Descriptors = budget });
        var (address, other) = (L4Host.FreeClusterIP(), L4Host.FreeClusterIP());
        host.Routes.Service("web", address.Address.ToString(), address.Port, backend.Pod("web-1"));
        host.Routes.Service("other", other.Address.ToString(), other.Port, backend.Pod("web-1"));
        await host.StartAsync();
        var open = new List<RawClient>();
        while (host.Listeners.OpenConnections < 5) // 10 of the 12 that the two listeners leave
        {
            open.Add(await L4Host.ConnectAsync(address, Stop));
            await L4Host.AskAsync(open[^1], Stop);
        }

        using var waits = await RawClient.ConnectAsync(address, Stop);
        var answer = L4Host.AskAsync(waits, Stop);
        using var fine = await L4Host.ConnectAsync(other, Stop);
        await L4Host.AskAsync(fine, Stop);
        fine.Socket.Close(timeout: 0);
        Assert.False(answer.IsCompleted);
        Assert.Contains(SomeRoutes.Name("web"), budget.TakeRefused().Select(static share => share.Service));

        open[0].Socket.Close(timeout: 0);
        await answer;
        open.ForEach(static client => client.Dispose());
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D22")]
    public async Task Who_had_connected_when_a_listener_closes_is_served()
    {
        await using var backend = new RecordingBackend();
        var time = new FakeTimeProvider(); // whoever waits for a place is not looked at again
        await using var host = new L4Host(new ServiceListenerOptions { Descriptors = new DescriptorBudget(320 + 14) }, time);
        var address = await host.ServeAsync(backend.Pod("web-1"));
        var open = new List<RawClient>();
        while (host.Listeners.OpenConnections < 5)
        {
            open.Add(await L4Host.ConnectAsync(address, Stop));
            await L4Host.AskAsync(open[^1], Stop);
        }

        using var waits = await RawClient.ConnectAsync(address, Stop);
        using var waitsToo = await RawClient.ConnectAsync(address, Stop);
        for (var going = 0; going < 2; going++)
        {
            open[going].Socket.Close(timeout: 0);
        }

        while (host.Listeners.OpenConnections > 3)
        {
            await Task.Yield();
        }

        using var deadline = new CancellationTokenSource();
        var stopped = host.Listeners.StopAsync(deadline.Token);
        await L4Host.AskAsync(waits, Stop);
        await L4Host.AskAsync(waitsToo, Stop);
        await L4Host.RefusedAsync(address, Stop);

        await deadline.CancelAsync();
        await stopped;
        open.ForEach(static client => client.Dispose());
    }
}
