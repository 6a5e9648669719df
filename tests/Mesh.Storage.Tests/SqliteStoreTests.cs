using System.Globalization;
using Microsoft.Data.Sqlite;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

public sealed class SqliteStoreTests
{
    private const int Deadline = 30_000;

    private static readonly LogRetention Whole = new(TimeSpan.MaxValue, int.MaxValue, long.MaxValue);

    [Fact(Timeout = Deadline)]
    public async Task Each_write_of_a_commit_gets_the_next_resourceVersion_and_carries_it()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);

        var first = await fixture.MustCommitAsync(Put("a"), Put("b"));
        var second = await fixture.MustCommitAsync(Put("c"));

        Assert.Equal([1L, 2L], first.Objects.Select(stored => stored!.ResourceVersion));
        Assert.Equal(2, first.Version);
        Assert.Equal(3, second.Version);
        Assert.Contains("\"resourceVersion\":\"2\"", Text(first.Objects[1]!), StringComparison.Ordinal);
        Assert.Equal(Text(first.Objects[1]!), Text((await fixture.Store.ReadAsync(Pod("b"), fixture.Stop))!));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_failed_precondition_writes_nothing_of_its_commit_and_tells_what_is_there()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("taken"));

        var outcome = await fixture.CommitAsync(Put("new"), Put("taken", Precondition.Absence));

        var failed = Assert.IsType<CommitOutcome.Failed>(outcome);
        Assert.Equal((1, 1L), (failed.Index, failed.Current!.ResourceVersion));
        Assert.Null(await fixture.Store.ReadAsync(Pod("new"), fixture.Stop));
        Assert.Equal(2, (await fixture.MustCommitAsync(Put("after"))).Version);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_resourceVersion_precondition_lets_one_of_two_writers_through()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var read = (await fixture.MustCommitAsync(Put("a"))).Version;

        var outcomes = await Task.WhenAll(
            fixture.CommitAsync(Put("a", new Precondition.Is(read))),
            fixture.CommitAsync(Put("a", new Precondition.Is(read))));

        Assert.Single(outcomes.OfType<CommitOutcome.Committed>());
        Assert.Equal(2, Assert.Single(outcomes.OfType<CommitOutcome.Failed>()).Current!.ResourceVersion);
    }

    [Fact(Timeout = Deadline)]
    public async Task What_was_committed_is_there_after_a_restart()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("a"), Put("b"));
        await fixture.MustCommitAsync(new Write.Delete(Pod("a"), Precondition.None));

        await using var next = await fixture.ReopenAsync();

        Assert.Null(await next.Store.ReadAsync(Pod("a"), fixture.Stop));
        Assert.Equal(2, (await next.Store.ReadAsync(Pod("b"), fixture.Stop))!.ResourceVersion);
        Assert.Equal(4, (await next.MustCommitAsync(Put("c"))).Version);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A28")]
    public async Task Of_fifty_creates_of_one_name_one_is_committed()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => fixture.CommitAsync(Put("a", Precondition.Absence)), fixture.Stop)));

        Assert.Single(outcomes.OfType<CommitOutcome.Committed>());
        Assert.Equal(49, outcomes.OfType<CommitOutcome.Failed>().Count());
    }

    [Fact(Timeout = 4 * Deadline)]
    [Trait("Row", "REL-A25")]
    public async Task No_increment_of_a_hundred_concurrent_writers_is_lost()
    {
        const int Writers = 100;
        const int Increments = 100;
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("counter", uid: "0"));

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(
            async () =>
            {
                var seen = (await fixture.Store.ReadAsync(Pod("counter"), fixture.Stop))!;
                for (var done = 0; done < Increments;)
                {
                    var next = Put("counter", new Precondition.Is(seen.ResourceVersion), uid: $"{int.Parse(seen.Uid, CultureInfo.InvariantCulture) + 1}");
                    var outcome = await fixture.CommitAsync(next);
                    seen = outcome is CommitOutcome.Committed committed ? committed.Objects[0]! : ((CommitOutcome.Failed)outcome).Current!;
                    done += outcome is CommitOutcome.Committed ? 1 : 0;
                }
            },
            fixture.Stop)));

        Assert.Equal($"{Writers * Increments}", (await fixture.Store.ReadAsync(Pod("counter"), fixture.Stop))!.Uid);
    }

    [Fact(Timeout = Deadline)]
    public async Task Commits_that_wait_share_a_transaction_and_requests_go_before_projections()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var pages = new List<LogPage>();
        using var following = fixture.Store.Follow(pages.Add);
        using var gate = new LoopGate(fixture.Store);
        var first = await gate.HoldAsync(() => fixture.MustCommitAsync(Put("first")));

        var projection = fixture.Store.CommitAsync([Put("projection")], CommitClass.Projection, fixture.Stop);
        var request = fixture.MustCommitAsync(Put("request"));
        gate.Open();
        await Task.WhenAll(first, projection, request);

        Assert.Equal(2, (await request).Version);
        Assert.Equal(3, Assert.IsType<CommitOutcome.Committed>(await projection).Version);
        Assert.Equal([1, 2], pages.Select(page => page.Changes.Count));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_full_queue_refuses_and_the_other_class_still_has_room()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken, options => options with { MaxWaitingCommits = 2 });
        using var gate = new LoopGate(fixture.Store);
        var first = await gate.HoldAsync(() => fixture.MustCommitAsync(Put("first")));
        var waiting = new[] { fixture.CommitAsync(Put("a")), fixture.CommitAsync(Put("b")) };

        await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("c")));
        var projection = fixture.Store.CommitAsync([Put("d")], CommitClass.Projection, fixture.Stop);

        gate.Open();
        await Task.WhenAll([first, .. waiting, projection]);
        Assert.Null(await fixture.Store.ReadAsync(Pod("c"), fixture.Stop));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_caller_that_gives_up_while_it_waits_has_written_nothing()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        using var gate = new LoopGate(fixture.Store);
        var first = await gate.HoldAsync(() => fixture.MustCommitAsync(Put("first")));
        using var impatient = new CancellationTokenSource();

        var waiting = fixture.Store.CommitAsync([Put("a")], CommitClass.Request, impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        gate.Open();
        await first;

        Assert.Equal(2, (await fixture.MustCommitAsync(Put("b"))).Version);
        Assert.Null(await fixture.Store.ReadAsync(Pod("a"), fixture.Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A44")]
    [Trait("Row", "REL-FI22")]
    public async Task A_full_store_refuses_writes_answers_reads_and_heals_when_there_is_room()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken, options => options with { MaxBytes = 256 * 1024 });
        await fixture.MustCommitAsync(Put("a"));
        var large = $",\"x\":\"{new string('x', 200_000)}\"";

        await fixture.MustCommitAsync(Put("large", extra: large));
        var full = await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("more", extra: large)));

        Assert.Contains("full", full.Message, StringComparison.Ordinal);
        Assert.NotNull(await fixture.Store.ReadAsync(Pod("a"), fixture.Stop));
        Assert.Null(await fixture.Store.ReadAsync(Pod("more"), fixture.Stop));
        Assert.Equal(3, (await fixture.MustCommitAsync(Put("small"))).Version);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A02")]
    public async Task A_document_that_is_too_large_is_refused()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);

        var outcome = await fixture.CommitAsync(Put("ok"), Put("a", extra: $",\"x\":\"{new string('x', StoreLimits.MaxDocumentBytes)}\""));

        Assert.Equal(1, Assert.IsType<CommitOutcome.Refused>(outcome).Index);
        Assert.Null(await fixture.Store.ReadAsync(Pod("ok"), fixture.Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A46")]
    public async Task A_store_that_another_process_locks_is_unavailable_within_five_seconds_and_heals()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("a"));
        using (var other = new SqliteConnection($"Data Source={fixture.Database};Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction(deferred: false);
            await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("b")).WaitAsync(TimeSpan.FromSeconds(10), fixture.Stop));
        }

        Assert.Equal(2, (await fixture.MustCommitAsync(Put("b"))).Version);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A48")]
    public async Task A_file_that_is_no_store_is_refused_at_start()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.Store.StopAsync();
        await File.WriteAllTextAsync(fixture.Database, new string('x', 8_192), fixture.Stop);

        var refused = await Assert.ThrowsAsync<DataDirectoryRefusedException>(fixture.ReopenAsync);

        Assert.Equal(DataDirectoryRefusal.NotAStore, refused.Reason);
        Assert.Contains("backup", refused.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A48")]
    public async Task The_database_of_another_program_is_refused_and_stays_as_it_is()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.Store.StopAsync();
        File.Delete(fixture.Database);
        using (var other = new SqliteConnection($"Data Source={fixture.Database};Pooling=False"))
        {
            other.Open();
            using var make = other.CreateCommand();
            make.CommandText = "CREATE TABLE letters (text TEXT)";
            make.ExecuteNonQuery();
        }

        var refused = await Assert.ThrowsAsync<DataDirectoryRefusedException>(fixture.ReopenAsync);

        Assert.Equal(DataDirectoryRefusal.NotAStore, refused.Reason);
        Assert.Contains("another program", refused.Message, StringComparison.Ordinal);
        using var still = new SqliteConnection($"Data Source={fixture.Database};Pooling=False");
        still.Open();
        using var count = still.CreateCommand();
        count.CommandText = "SELECT group_concat(name) FROM sqlite_master";
        Assert.Equal("letters", count.ExecuteScalar());
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A55")]
    public async Task A_restored_backup_is_a_new_timeline_above_every_version_that_was_told()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("a"));
        var before = await fixture.Store.PositionAsync(fixture.Stop);
        await fixture.Store.StopAsync();
        var backup = await File.ReadAllBytesAsync(fixture.Database, fixture.Stop);
        await using (var lost = await fixture.ReopenAsync())
        {
            Assert.Equal(before.Timeline, (await lost.Store.PositionAsync(lost.Stop)).Timeline);
            await lost.MustCommitAsync(Put("b"));
        }

        await File.WriteAllBytesAsync(fixture.Database, backup, fixture.Stop);
        await using var restored = await fixture.ReopenAsync();

        var after = await restored.Store.PositionAsync(restored.Stop);
        Assert.NotEqual(before.Timeline, after.Timeline);
        Assert.True(after.Version > 2);
        await using var cache = await restored.StartCacheAsync();
        Assert.NotNull(cache.Get(Pod("a")));
        Assert.Throws<WatchExpiredException>(() => cache.Watch(_ => true, 2));
    }

    [Fact(Timeout = Deadline)]
    public async Task A_stopped_store_carries_out_what_waits_and_refuses_what_comes()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var waiting = Enumerable.Range(0, 200).Select(i => fixture.MustCommitAsync(Put($"p{i}"))).ToList();

        await fixture.Store.StopAsync();

        await Task.WhenAll(waiting);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("late")));
    }

    [Fact(Timeout = Deadline)]
    public async Task The_log_is_cut_by_age_and_by_size_however_young_it_is()
    {
        await using var fixture = await StartAsync(
            TestContext.Current.CancellationToken, options => options with { Retention = LogRetention.Standard with { MaxRows = 10 } });
        for (var i = 0; i < 30; i++)
        {
            await fixture.MustCommitAsync(Put("a"));
        }

        await fixture.Store.TrimAsync();
        var cut = await fixture.Store.LoadAsync(Whole, fixture.Stop);
        fixture.Time.Advance(TimeSpan.FromMinutes(14));
        await fixture.Store.TrimAsync();
        var kept = await fixture.Store.LoadAsync(Whole, fixture.Stop);
        fixture.Time.Advance(TimeSpan.FromMinutes(2));
        await fixture.Store.TrimAsync();
        var old = await fixture.Store.LoadAsync(Whole, fixture.Stop);

        Assert.Equal((20, 10), (cut.LogStart, cut.Log.Count));
        Assert.Equal((20, 10), (kept.LogStart, kept.Log.Count));
        Assert.Equal((30, 0), (old.LogStart, old.Log.Count));
    }

    [Theory(Timeout = Deadline)]
    [InlineData(-1)]
    [InlineData(1)]
    [Trait("Row", "CP-D2")]
    public async Task The_log_is_cut_as_ever_when_the_wall_clock_is_set_also_between_two_runs(int hours)
    {
        await using var before = await StartAsync(
            TestContext.Current.CancellationToken, options => options with { Retention = LogRetention.Standard with { MaxRows = 10 } });
        await before.MustCommitAsync(Put("a"));
        before.Clock.SetWall(TimeSpan.FromHours(hours));
        for (var i = 0; i < 29; i++)
        {
            await before.MustCommitAsync(Put("a"));
        }

        before.Time.Advance(TimeSpan.FromMinutes(3));
        await before.Store.TrimAsync();
        var cut = await before.Store.LoadAsync(Whole, before.Stop);
        await using var after = await before.ReopenAsync();
        after.Clock.SetWall(TimeSpan.FromHours(hours * 3));
        await after.Store.TrimAsync();
        var kept = await after.Store.LoadAsync(Whole, after.Stop);
        after.Time.Advance(TimeSpan.FromMinutes(16));
        await after.Store.TrimAsync();
        var old = await after.Store.LoadAsync(Whole, after.Stop);

        Assert.Equal((20, 10), (cut.LogStart, cut.Log.Count));
        Assert.Equal((20, 10), (kept.LogStart, kept.Log.Count));
        Assert.Equal((30, 0), (old.LogStart, old.Log.Count));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A47")]
    public async Task A_reader_that_stays_lets_the_write_ahead_log_grow_only_until_it_goes()
    {
        const int Limit = 1024 * 1024;
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken, options => options with { MaxWriteAheadBytes = Limit });
        var wal = new FileInfo(fixture.Database + "-wal");
        using (var reader = new SqliteConnection($"Data Source={fixture.Database};Pooling=False"))
        {
            reader.Open();
            using var transaction = reader.BeginTransaction(deferred: true);
            Assert.Null(Queries.Read(reader, transaction, "SELECT max(version) FROM objects"));
            for (var i = 0; i < 60; i++)
            {
                await fixture.MustCommitAsync(Put("a", extra: $",\"x\":\"{new string('x', 100_000)}\""));
            }

            await fixture.Store.TrimAsync();
            wal.Refresh();
            Assert.True(wal.Length > Limit);
        }

        do
        {
            fixture.Stop.ThrowIfCancellationRequested();
            await fixture.Store.TrimAsync(); // more than once: first the other thread copies
            wal.Refresh();
        }
        while (wal.Length > Limit);

        Assert.Equal(61, (await fixture.MustCommitAsync(Put("a"))).Version);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A49")]
    public async Task Wherever_the_power_cuts_the_log_whole_commits_are_left_in_order()
    {
        const int Commits = 20;
        const int Cuts = 97;
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        for (var i = 1; i <= Commits; i++)
        {
            await fixture.MustCommitAsync(Put("left", uid: $"{i}"), Put("right", uid: $"{i}"));
        }

        var log = await File.ReadAllBytesAsync(fixture.Database + "-wal", fixture.Stop);
        var left = new SortedSet<long>();
        for (var cut = 0; cut <= Cuts; cut++)
        {
            var copy = Path.Combine(fixture.Directory, $"cut-{cut}.db");
            File.Copy(fixture.Database, copy);
            await File.WriteAllBytesAsync(copy + "-wal", log[..(int)((long)log.Length * cut / Cuts)], fixture.Stop);
            left.Add(Queries.CheckWhole(copy));
        }

        Assert.Equal(2 * Commits, left.Max);
        Assert.True(left.Count > Commits / 2, $"only {left.Count} different states were cut");
    }
}
