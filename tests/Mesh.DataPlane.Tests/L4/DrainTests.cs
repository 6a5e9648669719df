using System.Net.Sockets;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L4;

/// <summary>What becomes of open connections when the listeners of Services stop.</summary>
public sealed class DrainTests
{
    private const int Limit = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    [Trait("Row", "R-S2")]
    public async Task A_stop_resets_connections_that_are_idle_and_leaves_time_to_whoever_waits_for_an_answer()
    {
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("/slow");
            if (connection.Received.Contains("/slow", StringComparison.Ordinal))
            {
                asked.SetResult();
                await answer.Task.WaitAsync(Stop);
                await connection.SendAsync(RecordingBackend.Ok);
                await connection.ReceiveAsync();
            }
        });
        var time = new FakeTimeProvider();
        await using var host = new L4Host(time: time);
        var address = await host.ServeAsync(backend.Pod("web-1"));
        using var idle = await L4Host.ConnectAsync(address, Stop);
        var idleThere = await backend.AcceptedAsync(Stop);
        await idleThere.SendAsync("hello");
        await idle.UntilAsync("hello", Stop);
        using var waiting = await L4Host.ConnectAsync(address, Stop);
        await waiting.SendAsync("GET /slow HTTP/1.1\r\n\r\n", Stop);
        await asked.Task.WaitAsync(Stop);

        var stopped = host.Listeners.StopAsync(Stop); // without a deadline
        await AdvanceUntilAsync(time, idleThere.Ended);

        Assert.True(idleThere.SawReset); // no FIN: of half an answer that would make a whole one
        await Assert.ThrowsAsync<SocketException>(() => idle.Socket.ReceiveAsync(new byte[1], Stop).AsTask());
        Assert.False(stopped.IsCompleted);
        answer.SetResult();
        Assert.Equal("ok", (await waiting.AnswerAsync(Stop))!.Body);
        await AdvanceUntilAsync(time, stopped);
        Assert.True(await waiting.IsClosedAsync(Stop));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "R-S2")]
    public async Task A_stop_leaves_time_to_a_client_that_has_ended_its_side_and_has_half_of_its_answer()
    {
        await using var backend = new RecordingBackend(static async connection =>
        {
            while (await connection.ReceiveAsync())
            {
            }

            await connection.SendAsync("half");
        });
        var time = new FakeTimeProvider();
        await using var host = new L4Host(time: time);
        using var client = await L4Host.ConnectAsync(await host.ServeAsync(backend.Pod("web-1")), Stop);
        var there = await backend.AcceptedAsync(Stop);
        client.Socket.Shutdown(SocketShutdown.Send);
        await client.UntilAsync("half", Stop);

        var stopped = host.Listeners.StopAsync(Stop);
        for (var look = 0; look < 8; look++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await there.SendAsync(" whole");
        there.Close();
        Assert.EndsWith(" whole", await client.ToEndAsync(Stop), StringComparison.Ordinal);
        await stopped;
    }

    [Fact(Timeout = Limit)]
    public async Task A_stop_refuses_new_clients_lets_open_ones_end_and_cuts_them_at_the_deadline()
    {
        await using var backend = new RecordingBackend();
        await using var host = new L4Host(time: new FakeTimeProvider()); // none of them is idle for a second
        var address = await host.ServeAsync(backend.Pod("web-1"));
        using var ending = await L4Host.ConnectAsync(address, Stop);
        await backend.AcceptedAsync(Stop);
        using var staying = await L4Host.ConnectAsync(address, Stop);
        await backend.AcceptedAsync(Stop);

        using var deadline = new CancellationTokenSource();
        var stopped = host.Listeners.StopAsync(deadline.Token);
        await L4Host.RefusedAsync(address, Stop);
        await ending.SendAsync("GET / HTTP/1.1\r\n\r\n", Stop);
        Assert.Equal("ok", (await ending.AnswerAsync(Stop))!.Body);
        ending.Dispose();
        Assert.False(stopped.IsCompleted);

        await deadline.CancelAsync();
        await stopped;
        Assert.Equal(0, host.Listeners.OpenConnections);
        Assert.True(await staying.IsClosedAsync(Stop));
    }

    private static async Task AdvanceUntilAsync(FakeTimeProvider time, Task wanted)
    {
        while (!wanted.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await wanted;
    }
}
