using Mesh.Storage.Sqlite;
using Mesh.Testing.Processes;
using Microsoft.Data.Sqlite;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

/// <summary>Backups that are taken while the store is written to, and put back.</summary>
public sealed class StoreCopyTests : IDisposable
{
    private const int Deadline = 60_000;

    private readonly string _directory = TestDirectory.Make("mesh-copies-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Copy => Path.Combine(_directory, "copy.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-S8")]
    public async Task A_copy_that_is_taken_while_everybody_writes_is_whole_and_holds_all_that_was_acknowledged_before()
    {
        await using var fixture = await StartAsync(Stop);
        for (var i = 1; i <= 20; i++)
        {
            await fixture.MustCommitAsync(Put("left", uid: $"{i}"), Put("right", uid: $"{i}"));
        }

        using var enough = new CancellationTokenSource();
        var writing = Task.Run(
            async () =>
            {
                for (var i = 21; !enough.IsCancellationRequested; i++)
                {
                    await fixture.MustCommitAsync(Put("left", uid: $"{i}"), Put("right", uid: $"{i}"));
                }
            },
            Stop);
        var taken = Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Take(fixture.Directory, Copy));
        await enough.CancelAsync();
        await writing;

        Assert.Equal(2, taken.Objects);
        Assert.InRange(Queries.CheckWhole(Copy), 40, long.MaxValue);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Copy));
        Assert.Equal(["copy.db"], Directory.EnumerateFileSystemEntries(_directory).Select(Path.GetFileName));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-S8")]
    public async Task A_restored_copy_goes_on_above_all_that_was_told_and_the_store_that_it_replaces_is_kept_with_its_log()
    {
        await using var fixture = await StartAsync(Stop);
        await fixture.MustCommitAsync(Put("a"));
        var before = await fixture.Store.PositionAsync(Stop);
        Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Take(fixture.Directory, Copy));
        await fixture.MustCommitAsync(Put("b"));
        var killed = Path.Combine(_directory, "killed"); // as a kill leaves it: the newest commits stand in the log alone
        Directory.CreateDirectory(killed);
        foreach (var file in Directory.GetFiles(fixture.Directory))
        {
            File.Copy(file, Path.Combine(killed, Path.GetFileName(file)));
        }

        var done = Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Restore(killed, Copy));

        Assert.Equal(2L, Queries.CountObjects(done.Replaced!));
        await using var store = new SqliteStore(fixture.Options with { DataDirectory = killed }, fixture.Loops.Loops, fixture.Clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<SqliteStore>.Instance);
        await store.StartAsync(Stop);
        var after = await store.PositionAsync(Stop);
        Assert.Equal(done.Version, after.Version); // opened as it was left: no second new timeline
        Assert.InRange(after.Version, before.Version + 2, long.MaxValue);
        Assert.NotEqual(before.Timeline, after.Timeline);
        Assert.NotNull(await store.ReadAsync(Pod("a"), Stop));
        Assert.Null(await store.ReadAsync(Pod("b"), Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-S8")]
    public async Task What_cannot_be_copied_or_restored_is_refused_with_a_reason_and_nothing_changes()
    {
        await using var fixture = await StartAsync(Stop);
        await fixture.MustCommitAsync(Put("a"));
        await fixture.Store.StopAsync();
        var other = Path.Combine(_directory, "other.db");
        using (var connection = new SqliteConnection($"Data Source={other};Pooling=False"))
        {
            connection.Open();
            Queries.Read(connection, null, "CREATE TABLE letters (text TEXT)");
        }

        var newer = Path.Combine(_directory, "newer.db");
        Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Take(fixture.Directory, newer));
        using (var connection = new SqliteConnection($"Data Source={newer};Pooling=False"))
        {
            connection.Open();
            Queries.Read(connection, null, "PRAGMA user_version = 2");
        }

        var damaged = Path.Combine(_directory, "damaged.db");
        await File.WriteAllTextAsync(damaged, new string('x', 8192), Stop);
        var store = await File.ReadAllBytesAsync(fixture.Database, Stop);
        var files = Directory.GetFiles(fixture.Directory).Order().ToList();

        Refused("exists already", StoreCopy.Take(fixture.Directory, other));
        Refused("no store", StoreCopy.Take(_directory, Copy));
        Refused("copy.db' was not written", StoreCopy.Take(fixture.Directory, Path.Combine(_directory, "none", "copy.db")));
        Refused("no file", StoreCopy.Restore(fixture.Directory, Copy));
        Refused("no store of Mesh", StoreCopy.Restore(fixture.Directory, other));
        Refused("schema 2", StoreCopy.Restore(fixture.Directory, newer));
        Refused("damaged", StoreCopy.Restore(fixture.Directory, damaged));
        await File.WriteAllTextAsync(fixture.Database + ".replaced", "", Stop);
        Refused("earlier restore", StoreCopy.Restore(fixture.Directory, newer));
        File.Delete(fixture.Database + ".replaced");

        Assert.Equal(store, await File.ReadAllBytesAsync(fixture.Database, Stop));
        Assert.Equal(files, Directory.GetFiles(fixture.Directory).Order());
        Assert.Equal(["damaged.db", "newer.db", "other.db"], Directory.EnumerateFileSystemEntries(_directory).Select(Path.GetFileName).Order());
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-S8")]
    public async Task A_copy_that_is_in_its_place_is_restored_though_its_mark_could_not_be_written_and_no_old_log_stays_beside_the_replaced_one()
    {
        await using var fixture = await StartAsync(Stop);
        await fixture.MustCommitAsync(Put("a"));
        Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Take(fixture.Directory, Copy));
        await fixture.Store.StopAsync();
        await File.WriteAllTextAsync(fixture.Database + ".replaced-wal", "of one that was replaced before, and deleted", Stop);
        Directory.CreateDirectory(fixture.Database + ".mark.next"); // no file can be written there

        var done = Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Restore(fixture.Directory, Copy));

        Assert.False(File.Exists(done.Replaced + "-wal"));
        Assert.Equal(1L, Queries.CountObjects(done.Replaced!));
        Directory.Delete(fixture.Database + ".mark.next");
        await using var next = await fixture.ReopenAsync();
        Assert.InRange((await next.Store.PositionAsync(Stop)).Version, done.Version, long.MaxValue);
        Assert.NotNull(await next.Store.ReadAsync(Pod("a"), Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "R-S8")]
    public async Task A_restore_that_fails_half_way_puts_the_store_back()
    {
        await using var fixture = await StartAsync(Stop);
        await fixture.MustCommitAsync(Put("a"));
        Assert.IsType<StoreCopyOutcome.Done>(StoreCopy.Take(fixture.Directory, Copy));
        await fixture.Store.StopAsync();
        var store = await File.ReadAllBytesAsync(fixture.Database, Stop);
        Directory.CreateDirectory(fixture.Database + "-shm"); // cannot be deleted as a file

        Refused("was not restored", StoreCopy.Restore(fixture.Directory, Copy));

        Assert.Equal(store, await File.ReadAllBytesAsync(fixture.Database, Stop));
        Assert.Empty(Directory.EnumerateFileSystemEntries(fixture.Directory, "mesh.db.re*")); // neither a replaced one nor one on its way
    }

    private static void Refused(string told, StoreCopyOutcome outcome) =>
        Assert.Contains(told, Assert.IsType<StoreCopyOutcome.Refused>(outcome).Reason, StringComparison.Ordinal);
}
