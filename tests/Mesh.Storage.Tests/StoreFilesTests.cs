using Microsoft.Data.Sqlite;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

/// <summary>Files of the store that are taken away while it is open.</summary>
public sealed class StoreFilesTests
{
    private const int Deadline = 30_000;
    private const int Room = 256 * 1024;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-S7")]
    public async Task A_store_that_is_taken_away_acknowledges_nothing_until_it_is_put_back_and_what_it_held_is_saved()
    {
        await using var fixture = await StartAsync(Stop, options => options with { NumberOf = Number });
        await fixture.MustCommitAsync(Put("a"));
        await File.WriteAllTextAsync(fixture.Database + ".saving", "of one that was killed", Stop);
        File.Move(fixture.Database, fixture.Database + ".away");

        var lost = await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("b")));
        Assert.Contains($"'{fixture.Database}' was removed", lost.Message, StringComparison.Ordinal);
        Assert.Equal(1L, Queries.CountObjects(fixture.Database + ".saved"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(fixture.Database + ".saved"));
        Assert.False(File.Exists(fixture.Database + ".saving"));

        File.Move(fixture.Database + ".away", fixture.Database);
        await fixture.MustCommitAsync(Put("b"));
        await using var next = await fixture.ReopenAsync();
        Assert.NotNull(await next.Store.ReadAsync(Pod("b"), Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-S7")]
    public async Task Another_file_in_the_place_of_the_store_is_not_written_to()
    {
        var number = 1UL;
        await using var fixture = await StartAsync(Stop, options => options with { NumberOf = _ => number });
        await fixture.MustCommitAsync(Put("a"));

        number = 2;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("b")));
        await fixture.Store.TrimAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("b")));
        number = 1;
        await fixture.MustCommitAsync(Put("b"));
    }

    [Theory(Timeout = Deadline)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "R-S7")]
    public async Task A_store_that_is_replaced_leaves_no_log_beside_what_took_its_place(bool isWriterClosed)
    {
        var isReplaced = false;
        await using var fixture = await StartAsync(
            Stop, options => options with { MaxBytes = Room, NumberOf = file => Number(file) + (isReplaced ? 1UL : 0UL) });
        var (away, other) = (fixture.Database + ".away", fixture.Database + ".other");
        await fixture.MustCommitAsync(Put("a"));
        Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Take(fixture.Directory, other));
        for (var i = 0; i < 20; i++)
        {
            await fixture.MustCommitAsync(Put($"b{i}"));
        }

        await ReadAsync(fixture, isWriterClosed);
        File.Move(fixture.Database, away);
        File.Move(other, fixture.Database);
        isReplaced = true;
        await fixture.Store.StopAsync();

        Assert.Equal(0, new FileInfo(fixture.Database + "-wal") is { Exists: true } log ? log.Length : 0);
        Assert.Equal(21L, Queries.CountObjects(away));
        Assert.Equal(21L, Queries.CountObjects(fixture.Database + ".saved"));
        await using var next = await fixture.ReopenAsync();
        Assert.NotNull(await next.Store.ReadAsync(Pod("a"), Stop));
        Assert.Null(await next.Store.ReadAsync(Pod("b0"), Stop));
        await next.MustCommitAsync(Put("c"));
        using var connection = new SqliteConnection($"Data Source={fixture.Database};Pooling=False");
        connection.Open();
        Assert.Equal("ok", Queries.Read(connection, null, "PRAGMA integrity_check"));
    }

    [Theory(Timeout = Deadline)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "R-S7")]
    public async Task A_log_that_is_removed_loses_nothing_that_was_acknowledged_before_or_after(bool isWriterClosed)
    {
        await using var fixture = await StartAsync(Stop, options => options with { MaxBytes = Room, NumberOf = Number });
        await fixture.MustCommitAsync(Put("before"));
        var timeline = (await fixture.Store.PositionAsync(Stop)).Timeline;
        await ReadAsync(fixture, isWriterClosed);
        File.Delete(fixture.Database + "-wal");

        await fixture.MustCommitAsync(Put("after"));

        await using var next = await fixture.ReopenAsync();
        Assert.NotNull(await next.Store.ReadAsync(Pod("before"), Stop));
        Assert.NotNull(await next.Store.ReadAsync(Pod("after"), Stop));
        Assert.Equal(timeline, (await next.Store.PositionAsync(Stop)).Timeline);
    }

    /// <summary>A reading connection stays open; the writer's is closed by a transaction that a full disk refuses.</summary>
    private static async Task ReadAsync(StoreFixture fixture, bool isWriterClosed)
    {
        await fixture.Store.PositionAsync(Stop);
        if (isWriterClosed)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.CommitAsync(Put("large", extra: $",\"x\":\"{new string('x', Room)}\"")));
        }
    }

    private static ulong? Number(string file) => File.Exists(file) ? 1UL : null;
}
