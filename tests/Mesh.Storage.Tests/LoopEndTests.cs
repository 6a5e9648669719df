using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

/// <summary>An exception that nothing expects, in each loop of the store: it is told, and what was to be done is done.</summary>
public sealed class LoopEndTests
{
    private const int Deadline = 30_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Deadline)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "watch cache")]
    public async Task A_cache_that_met_a_torn_row_catches_up_with_what_it_was_not_told()
    {
        await using var fixture = await StartAsync(Stop);
        var log = new FaultyLog(fixture.Store);
        await using var cache = await fixture.StartCacheAsync(log);
        log.IsDeaf = true;
        await fixture.MustCommitAsync(Put("a"));
        log.Fault = new InvalidDataException("a torn row");

        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<InvalidDataException>(await fixture.Loops.EndedAsync("watch cache", Stop));
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await cache.WaitForAsync(1, Stop);

        log.IsDeaf = false;
        await fixture.MustCommitAsync(Put("b"));
        await cache.WaitForAsync(2, Stop);
        Assert.Equal(["a", "b"], cache.List("", "Pod", null).Items.Select(stored => stored.Key.Name));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "commits")]
    public async Task Commits_that_the_committing_loop_dropped_are_answered_and_later_ones_are_carried_out()
    {
        var time = new PlantedTime();
        await using var fixture = await StartAsync(Stop, time: time);
        await using var cache = await fixture.StartCacheAsync();
        await fixture.MustCommitAsync(Put("before"));

        time.FailTimestamps(1);
        await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => fixture.CommitAsync(Put("lost")));
        Assert.IsType<InvalidOperationException>(await fixture.Loops.EndedAsync("commits", Stop));

        await fixture.MustCommitAsync(Put("after"));
        Assert.Equal(["after", "before"], cache.List("", "Pod", null).Items.Select(stored => stored.Key.Name));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "CP-D8")]
    public async Task A_log_that_cannot_be_cut_keeps_no_commit_and_nobody_who_asked_for_the_cut()
    {
        var time = new PlantedTime();
        await using var fixture = await StartAsync(Stop, time: time);
        await fixture.MustCommitAsync(Put("a"));

        time.NowFails = true;
        await fixture.Store.TrimAsync();
        time.NowFails = false;

        await fixture.MustCommitAsync(Put("b"));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_store_that_is_stopped_while_its_loop_is_down_answers_whoever_waits()
    {
        var time = new PlantedTime();
        var loops = new WatchedLoops(new FakeTimeProvider()); // no pause ends
        var fixture = await StartAsync(Stop, time: time, loops: loops);
        await using (fixture)
        {
            time.FailTimestamps(1);
            await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => fixture.CommitAsync(Put("lost")));
            await loops.EndedAsync("commits", Stop);
            var waiting = fixture.CommitAsync(Put("late"));
            await fixture.Store.StopAsync();
            await Assert.ThrowsAsync<StoreUnavailableException>(() => waiting);
        }
    }
}
