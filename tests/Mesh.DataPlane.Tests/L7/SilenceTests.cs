using Mesh.DataPlane.L7.Carrier;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Endpoints that take requests and answer none, as a process that is stopped.</summary>
[Trait("Row", "R-S4")]
public sealed class SilenceTests
{
    private const int Limit = 60_000;
    private const string Get = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task One_that_is_silent_while_another_answers_is_passed_over_until_it_answers()
    {
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var hung = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            received.TrySetResult(); // an accepted connection may not be connected yet for the gateway
            await goOn.Task.WaitAsync(Stop);
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nback");
        });
        await using var well = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([hung.Pod("hung"), well.Pod("well")], time: _time);
        var (waiting, answer) = await AskUntilAsync(host, received.Task);
        using var held = waiting;

        _time.Advance(EndpointSilence.Patience);
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal("ok", (await host.AskAsync(Get, Stop))!.Body);
        }

        Assert.Single(hung.Connections);
        Assert.Equal(["hung"], host.Suspects.Pods);

        goOn.SetResult();
        Assert.Equal("back", (await answer)!.Body);
        while ((await host.AskAsync(Get, Stop))!.Body != "back")
        {
            // Chance says who is asked.
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Where_nobody_answers_a_silent_one_is_still_asked()
    {
        using var received = new SemaphoreSlim(0);
        await using var hung = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            received.Release();
            await connection.ReceiveUntilAsync("never");
        });
        await using var host = await GatewayHost.StartAsync([hung.Pod("hung"), new SomePod("gone", L4Host.FreeClusterIP())], time: _time);
        using var first = await host.ConnectAsync(Stop);
        await first.SendAsync(Get, Stop);
        await received.WaitAsync(Stop);
        _time.Advance(EndpointSilence.Patience);

        using var second = await host.ConnectAsync(Stop);
        await second.SendAsync(Get, Stop);

        await received.WaitAsync(Stop);
        Assert.Contains("gone", host.Suspects.Pods); // tried before
    }

    [Fact]
    public void It_counts_while_an_answer_is_owed_and_none_was_given_to_anybody()
    {
        var silence = new EndpointSilence(_time);
        _time.Advance(EndpointSilence.Patience);
        Assert.False(silence.IsPassedOver(mayTry: true, out _)); // nobody asked

        silence.Asked();
        silence.Asked();
        _time.Advance(EndpointSilence.Patience / 2);
        silence.Answered();
        _time.Advance(EndpointSilence.Patience / 2);
        Assert.False(silence.IsPassedOver(mayTry: true, out _)); // one takes long, and others do not

        _time.Advance(EndpointSilence.Patience / 2);
        Assert.True(silence.IsPassedOver(mayTry: true, out var isNews) && isNews);
        Assert.True(silence.IsPassedOver(mayTry: true, out isNews) && !isNews);
        silence.Heard();
        Assert.False(silence.IsPassedOver(mayTry: true, out _));
    }

    [Fact]
    public void When_its_clients_have_given_up_it_is_tried_now_and_then()
    {
        var silence = new EndpointSilence(_time);
        silence.Asked();
        silence.GaveNone(); // a client that left at once says nothing
        Assert.False(silence.IsPassedOver(mayTry: true, out _));

        silence.Asked();
        _time.Advance(EndpointSilence.Patience);
        silence.GaveNone();
        Assert.True(silence.IsPassedOver(mayTry: true, out _));

        _time.Advance(EndpointSilence.TryEvery);
        Assert.True(silence.IsPassedOver(mayTry: false, out _)); // not by what another one could not get after it
        Assert.False(silence.IsPassedOver(mayTry: true, out _));
        silence.Asked();
        Assert.True(silence.IsPassedOver(mayTry: true, out _)); // one at a time
        silence.Answered();
        Assert.False(silence.IsPassedOver(mayTry: true, out _));
    }

    /// <summary>Asks until the request is the one that reached somebody, whose client is returned with what it waits for.</summary>
    private static async Task<(RawClient Client, Task<RawAnswer?> Answer)> AskUntilAsync(GatewayHost host, Task reached)
    {
        while (true)
        {
            var client = await host.ConnectAsync(Stop);
            await client.SendAsync(Get, Stop);
            var answer = client.AnswerAsync(Stop);
            if (await Task.WhenAny(reached, answer) == reached)
            {
                return (client, answer);
            }

            client.Dispose();
        }
    }
}
