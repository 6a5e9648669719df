using Mesh.Agent.Pods;
using Mesh.Testing.Time;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>An exception that nothing expects, in each task that outlives the call which began it.</summary>
[Trait("Row", "DP-D4")]
public sealed class LoopEndTests
{
    private readonly PlantedTime _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "deleted Pod")]
    public async Task A_Pod_whose_deletion_met_an_exception_ends()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop, _time);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true}""");
        var uid = RegistrationTests.Uid(await curl.LineAsync(Stop));
        FailTimer(SiloWords.LongestDrain);
        await agent.Agent.ApplyAsync(RegistrationTests.Stored(uid, "web", 7, """ "deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":30,"""));
        Assert.IsType<InvalidOperationException>(await agent.Loops.EndedAsync("deleted Pod", Stop));
        await EndsAsync(agent, uid, SiloWords.LongestDrain);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "restored Pods")]
    public async Task Pods_whose_streams_are_awaited_end_after_an_exception_when_none_comes()
    {
        FailTimer(RestoredPods.Grace);
        var record = RestartTests.Record("u1", "web", 0);
        record.Request = Google.Protobuf.ByteString.CopyFromUtf8("""{"ready":true}""");
        await using var agent = await AgentUnderTest.StartAsync(Stop, _time, journal: [record], identity: new AgentIdentity(2, "boot"));
        Assert.IsType<InvalidOperationException>(await agent.Loops.EndedAsync("restored Pods", Stop));
        await EndsAsync(agent, "u1", RestoredPods.Grace);
    }

    [Fact(Timeout = 60_000)]
    public async Task Of_a_Pod_whose_end_met_an_exception_nothing_is_left_but_that()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop, _time);
        string uid;
        using (var curl = Curl.Put(agent.Url, "web", """{"ready":true}"""))
        {
            uid = RegistrationTests.Uid(await curl.LineAsync(Stop));
            agent.RoutingFails = true;
        }

        Assert.Equal(uid, (await agent.ReportAsync(told => told.Ended, Stop)).Uid);
        agent.RoutingFails = false;
        using var again = Curl.Put(agent.Url, "web", """{"ready":true}""");
        Assert.NotEqual(uid, RegistrationTests.Uid(await again.LineAsync(Stop)));
    }

    private void FailTimer(TimeSpan of) => _time.FailTimers(1, (due, period) => due == of && period == Timeout.InfiniteTimeSpan);

    /// <summary>Time goes on until it has ended.</summary>
    private async Task EndsAsync(AgentUnderTest agent, string uid, TimeSpan step)
    {
        var ended = agent.ReportAsync(told => told.Ended, Stop);
        while (!ended.IsCompleted)
        {
            _time.Advance(step);
            await Task.Yield();
        }

        Assert.Equal(uid, (await ended).Uid);
    }
}
