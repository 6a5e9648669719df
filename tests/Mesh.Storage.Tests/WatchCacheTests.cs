using Mesh.Testing.Time;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

public sealed class WatchCacheTests
{
    private const int Deadline = 30_000;

    [Fact(Timeout = Deadline)]
    public async Task What_was_acknowledged_is_in_every_cache_of_the_process()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("before"));
        await using var one = await fixture.StartCacheAsync();
        await using var two = await fixture.StartCacheAsync();

        var committed = await fixture.MustCommitAsync(Put("a"));

        Assert.Equal((committed.Version, committed.Version), (one.Version, two.Version));
        Assert.Same(committed.Objects[0], one.Get(Pod("a")));
        Assert.Same(committed.Objects[0], two.Get(Pod("a")));
        Assert.Equal(["a", "before"], one.List("", "Pod", null).Items.Select(stored => stored.Key.Name));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_watch_tells_every_change_in_order_with_what_was_before()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("a"));
        await using var cache = await fixture.StartCacheAsync();
        using var watch = cache.Watch(key => key.Kind == "Pod", afterVersion: 0);

        await fixture.MustCommitAsync(Put("a", extra: ",\"x\":1"));
        await fixture.MustCommitAsync(new Write.Delete(Pod("a"), Precondition.None));
        var changes = await watch.NextAsync(fixture.Stop);

        Assert.Equal([StoreChangeType.Added, StoreChangeType.Modified, StoreChangeType.Deleted], changes.Select(change => change.Type));
        Assert.Equal([1L, 2L, 3L], changes.Select(change => change.Object.ResourceVersion));
        Assert.Equal([null, 1L, 2L], changes.Select(change => change.Previous?.ResourceVersion));
        Assert.Contains("\"resourceVersion\":\"3\"", Text(changes[2].Object), StringComparison.Ordinal);
        using var given = new CancellationTokenSource();
        var after = watch.NextAsync(given.Token).AsTask();
        Assert.Equal(3, watch.Version);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => after);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_list_is_in_order_and_of_one_version_while_the_cache_goes_on()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync();
        await fixture.MustCommitAsync(Put("b", ns: "x"), Put("a", ns: "y"), Put("a", ns: "x"), Put("a-", ns: "x"));

        var all = cache.List("", "Pod", null);
        var one = cache.List("", "Pod", "x");
        await fixture.MustCommitAsync(new Write.Delete(Pod("a", "x"), Precondition.None));

        Assert.Equal(["x/a", "x/a-", "x/b", "y/a"], all.Items.Select(stored => $"{stored.Key.Namespace}/{stored.Key.Name}"));
        Assert.Equal(["a", "a-", "b"], one.Items.Select(stored => stored.Key.Name));
        Assert.Equal((4, 4), (all.Version, one.Version));
        Assert.Equal(["a-", "b"], cache.List("", "Pod", "x").Items.Select(stored => stored.Key.Name));
        Assert.Empty(cache.List("", "Service", null).Items);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_watch_tells_only_what_its_filter_accepts_and_its_version_goes_on_with_the_rest()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync();
        using var watch = cache.Watch(key => key.Namespace == "mine", 0);
        var next = watch.NextAsync(fixture.Stop).AsTask();

        await fixture.MustCommitAsync(Put("a"), Put("b"));

        Assert.Equal(2, watch.Version);
        Assert.False(next.IsCompleted);
        await fixture.MustCommitAsync(Put("c"), Put("a", ns: "mine"));
        Assert.Equal("mine", Assert.Single(await next).Object.Key.Namespace);
        var after = watch.NextAsync(fixture.Stop);
        Assert.Equal(4, watch.Version);
        Assert.False(after.IsCompleted);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "CP-D3")]
    public async Task A_watch_claims_nothing_that_its_reader_has_only_just_been_given()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync();
        using var watch = cache.Watch(_ => true, 0);

        await fixture.MustCommitAsync(Put("a"), Put("b"));
        var batch = await watch.NextAsync(fixture.Stop);

        Assert.Equal((2, 0), (batch.Count, watch.Version)); // who is told this version resumes from it, and would miss both
        var after = watch.NextAsync(fixture.Stop);
        Assert.Equal(2, watch.Version);
        Assert.False(after.IsCompleted);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_wait_for_the_next_change_can_be_given_up_and_taken_up_again()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync();
        using var watch = cache.Watch(_ => true, 0);
        using var impatient = new CancellationTokenSource();

        var given = watch.NextAsync(impatient.Token).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await fixture.MustCommitAsync(Put("a"));

        Assert.Single(await watch.NextAsync(fixture.Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A33")]
    public async Task A_watch_from_before_the_log_is_expired_also_after_a_restart()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync();
        await fixture.MustCommitAsync(Put("a"));
        fixture.Time.Advance(TimeSpan.FromMinutes(16));
        await fixture.Store.TrimAsync();
        await fixture.MustCommitAsync(Put("b"));

        Assert.Throws<WatchExpiredException>(() => cache.Watch(_ => true, 0));
        await using var late = await fixture.StartCacheAsync();
        Assert.Throws<WatchExpiredException>(() => late.Watch(_ => true, 0));
        using var watch = late.Watch(_ => true, 1);
        Assert.Equal(2, Assert.Single(await watch.NextAsync(fixture.Stop)).Object.ResourceVersion);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A36")]
    public async Task A_reader_that_stops_disturbs_nobody_and_expires_once_the_log_has_left_it_behind()
    {
        await using var fixture = await StartAsync(
            TestContext.Current.CancellationToken, options => options with { Window = LogRetention.InMemory with { MaxRows = 100 } });
        await using var cache = await fixture.StartCacheAsync();
        using var slow = cache.Watch(_ => true, 0);
        using var quick = cache.Watch(_ => true, 0);
        await fixture.MustCommitAsync(Put("a"));
        Assert.Single(await slow.NextAsync(fixture.Stop));

        var read = 0;
        for (var i = 0; i < 200; i++)
        {
            await fixture.MustCommitAsync(Put("a"));
            read += (await quick.NextAsync(fixture.Stop)).Count;
        }

        await fixture.MustCommitAsync(Put("b"));

        Assert.Equal(201, read);
        await Assert.ThrowsAsync<WatchExpiredException>(() => slow.NextAsync(fixture.Stop).AsTask());
        Assert.Single(await quick.NextAsync(fixture.Stop));
    }

    [Theory(Timeout = Deadline)]
    [InlineData(-1)]
    [InlineData(1)]
    [Trait("Row", "CP-D2")]
    [Trait("Row", "CP-N6")]
    public async Task The_window_keeps_and_drops_as_ever_when_the_wall_clock_is_set_or_is_not_the_writers(int hours)
    {
        await using var fixture = await StartAsync(
            TestContext.Current.CancellationToken, options => options with { Window = LogRetention.InMemory with { MaxRows = 100 } });
        await using var cache = await fixture.StartCacheAsync();
        var ahead = new JumpingClock(fixture.Clock);
        ahead.SetWall(TimeSpan.FromHours(hours));
        await using var elsewhere = new WatchCache(fixture.Store, fixture.Loops.Loops, ahead, fixture.Options.Window);
        await elsewhere.StartAsync(fixture.Stop);
        using var watch = cache.Watch(_ => true, 0);
        using var there = elsewhere.Watch(_ => true, 0);
        await fixture.MustCommitAsync(Put("a"));
        fixture.Clock.SetWall(TimeSpan.FromHours(hours));
        fixture.Time.Advance(TimeSpan.FromSeconds(70));
        for (var i = 0; i < 99; i++)
        {
            await fixture.MustCommitAsync(Put("a"));
        }

        Assert.Equal(100, (await watch.NextAsync(fixture.Stop)).Count);
        Assert.Equal(100, (await there.NextAsync(fixture.Stop)).Count);
        fixture.Time.Advance(TimeSpan.FromSeconds(6));
        await fixture.MustCommitAsync(Put("b"));
        Assert.Single(await watch.NextAsync(fixture.Stop));
        Assert.Throws<WatchExpiredException>(() => cache.Watch(_ => true, 0));
        Assert.Throws<WatchExpiredException>(() => elsewhere.Watch(_ => true, 0));
        using var resumed = cache.Watch(_ => true, 1);
        Assert.Equal(100, (await resumed.NextAsync(fixture.Stop)).Count);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-B3")]
    public async Task The_window_is_bounded_by_its_bytes_however_young_they_are()
    {
        const int Document = 100_000;
        await using var fixture = await StartAsync(
            TestContext.Current.CancellationToken, options => options with { Window = LogRetention.InMemory with { MaxBytes = 10 * Document } });
        await using var cache = await fixture.StartCacheAsync();
        using var slow = cache.Watch(_ => true, 0);
        for (var i = 0; i < 20; i++)
        {
            await fixture.MustCommitAsync(Put("a", extra: $",\"x\":\"{new string('x', Document)}\""));
        }

        await Assert.ThrowsAsync<WatchExpiredException>(() => slow.NextAsync(fixture.Stop).AsTask());
        using var watch = cache.Watch(_ => true, 11);
        Assert.Equal(9, (await watch.NextAsync(fixture.Stop)).Count); // each keeps alive what it replaced, and a little more than that
        Assert.Throws<WatchExpiredException>(() => cache.Watch(_ => true, 10));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-B3")]
    public async Task A_start_reads_no_more_of_the_log_than_it_keeps()
    {
        const int Document = 100_000;
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < 20; i++)
        {
            await fixture.MustCommitAsync(Put("a", extra: $",\"x\":\"{new string('x', Document)}\""));
        }

        await fixture.MustCommitAsync(new Write.Delete(Pod("a"), Precondition.None)); // it keeps two: what was, and what its watches are told
        var all = await fixture.Store.LoadAsync(LogRetention.InMemory, fixture.Stop);
        var byBytes = await fixture.Store.LoadAsync(LogRetention.InMemory with { MaxBytes = 10 * Document }, fixture.Stop);
        var byRows = await fixture.Store.LoadAsync(LogRetention.InMemory with { MaxRows = 3 }, fixture.Stop);
        fixture.Time.Advance(TimeSpan.FromSeconds(80));
        await fixture.MustCommitAsync(Put("b"));
        var byAge = await fixture.Store.LoadAsync(LogRetention.InMemory, fixture.Stop);

        Assert.Equal((0, 21), (all.LogStart, all.Log.Count));
        Assert.Equal((13, 8), (byBytes.LogStart, byBytes.Log.Count));
        Assert.Equal((18, 3), (byRows.LogStart, byRows.Log.Count));
        Assert.Equal((21, 1), (byAge.LogStart, byAge.Log.Count));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-B3")]
    public async Task A_cache_that_missed_more_than_it_keeps_loads_anew_and_its_watches_are_expired()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var log = new FaultyLog(fixture.Store);
        await using var cache = await fixture.StartCacheAsync(log);
        using var watch = cache.Watch(_ => true, 0);
        log.IsDeaf = true;
        for (var i = 0; i < 50; i++)
        {
            await fixture.MustCommitAsync(Put("a", extra: $",\"x\":\"{new string('x', 1_400_000)}\""));
        }

        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await cache.WaitForAsync(50, fixture.Stop);
        await Assert.ThrowsAsync<WatchExpiredException>(() => watch.NextAsync(fixture.Stop).AsTask());
        Assert.Equal(50, Assert.Single(cache.List("", "Pod", null).Items).ResourceVersion);
    }

    [Fact(Timeout = Deadline)]
    public async Task What_was_loaded_stays_for_a_while_unless_there_is_too_much()
    {
        await using var fixture = await StartAsync(
            TestContext.Current.CancellationToken, options => options with { Window = LogRetention.InMemory with { MaxRows = 100 } });
        for (var i = 0; i < 100; i++)
        {
            await fixture.MustCommitAsync(Put("a"));
        }

        await using var cache = await fixture.StartCacheAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await fixture.MustCommitAsync(Put("a"));

        Assert.Throws<WatchExpiredException>(() => cache.Watch(_ => true, 0));
        using var watch = cache.Watch(_ => true, 1);
        Assert.Equal(100, (await watch.NextAsync(fixture.Stop)).Count);
    }

    [Fact(Timeout = Deadline)]
    public async Task What_the_committing_loop_did_not_tell_is_read_a_second_later()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var log = new FaultyLog(fixture.Store);
        await using var cache = await fixture.StartCacheAsync(log);
        using var watch = cache.Watch(_ => true, 0);
        log.IsDeaf = true;

        await fixture.MustCommitAsync(Put("a"));
        await fixture.MustCommitAsync(Put("a"), Put("b"));
        await fixture.MustCommitAsync(new Write.Delete(Pod("a"), Precondition.None));
        Assert.Equal(0, cache.Version);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await cache.WaitForAsync(4, fixture.Stop);

        var changes = await watch.NextAsync(fixture.Stop);
        Assert.Equal([1L, 2L, 3L, 4L], changes.Select(change => change.Object.ResourceVersion));
        Assert.Equal([null, 1L, null, 2L], changes.Select(change => change.Previous?.ResourceVersion));
        Assert.Equal("b", Assert.Single(cache.List("", "Pod", null).Items).Key.Name);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_page_after_a_missing_one_is_not_applied_before_the_gap_is_filled()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var log = new FaultyLog(fixture.Store) { IsDeaf = true };
        await using var cache = await fixture.StartCacheAsync(log);
        await fixture.MustCommitAsync(Put("a"));
        log.IsDeaf = false;

        await fixture.MustCommitAsync(Put("b"));
        await cache.WaitForAsync(2, fixture.Stop);

        Assert.Equal(["a", "b"], cache.List("", "Pod", null).Items.Select(stored => stored.Key.Name));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_fresh_read_waits_for_what_the_cache_was_not_told()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var log = new FaultyLog(fixture.Store);
        await using var cache = await fixture.StartCacheAsync(log);
        log.IsDeaf = true;
        await fixture.MustCommitAsync(Put("a"));

        Assert.True(await cache.WaitForFreshAsync(fixture.Stop));

        Assert.NotNull(cache.Get(Pod("a")));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_fresh_read_is_served_as_it_is_when_the_store_is_silent_for_a_second_and_looks_are_shared()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var log = new FaultyLog(fixture.Store) { IsSilent = true };
        await using var cache = await fixture.StartCacheAsync(log);

        var reads = Enumerable.Range(0, 100).Select(_ => cache.WaitForFreshAsync(fixture.Stop)).ToList();
        fixture.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.All(await Task.WhenAll(reads), isFresh => Assert.False(isFresh));
        Assert.InRange(log.Looks, 0, 1);
    }

    [Fact(Timeout = Deadline)]
    public async Task Another_timeline_expires_every_watch_and_is_loaded_anew()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var other = await StartAsync(TestContext.Current.CancellationToken);
        await other.MustCommitAsync(Put("other"));
        await fixture.MustCommitAsync(Put("a"), Put("b"));
        var log = new FaultyLog(fixture.Store);
        await using var cache = await fixture.StartCacheAsync(log);
        var timeline = cache.Timeline;
        using var watch = cache.Watch(_ => true, cache.Version);
        var next = watch.NextAsync(fixture.Stop).AsTask();

        log.Log = other.Store;
        fixture.Time.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAsync<WatchExpiredException>(() => next);
        Assert.NotEqual(timeline, cache.Timeline);
        Assert.Equal("other", Assert.Single(cache.List("", "Pod", null).Items).Key.Name);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_watch_from_the_future_waits_and_begins_there()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync();
        using var watch = cache.Watch(_ => true, 2);
        var next = watch.NextAsync(fixture.Stop).AsTask();

        await fixture.MustCommitAsync(Put("a"));
        await fixture.MustCommitAsync(Put("b"));
        await fixture.MustCommitAsync(Put("c"));

        Assert.Equal(3, Assert.Single(await next).Object.ResourceVersion);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_cache_that_ends_ends_its_watches()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var cache = await fixture.StartCacheAsync();
        using var watch = cache.Watch(_ => true, 0);
        var next = watch.NextAsync(fixture.Stop).AsTask();

        await cache.DisposeAsync();

        await Assert.ThrowsAsync<WatchExpiredException>(() => next);
    }
}
