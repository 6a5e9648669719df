using Mesh.Storage.Sqlite;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

/// <summary>What a start finds where the last run left its store, or did not.</summary>
public sealed class StoreOpeningTests
{
    private const int Deadline = 30_000;

    [Theory(Timeout = Deadline)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "CP-D18")]
    public async Task A_run_that_was_killed_while_it_opened_the_store_is_no_restored_backup(bool beforeItWasCounted)
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("a"));
        var before = await fixture.Store.PositionAsync(fixture.Stop);
        await fixture.Store.StopAsync();
        using (var database = new SqliteDatabase(fixture.Options))
        using (var killed = database.OpenWriter(create: false))
        {
            var mark = RunMark.Read(fixture.Options.MarkPath);
            Action open = () => SqliteSchema.Open(killed, mark, opening =>
            {
                opening.Write(fixture.Options.MarkPath);
                ObjectDisposedException.ThrowIf(beforeItWasCounted, killed);
            });
            if (beforeItWasCounted)
            {
                Assert.Throws<ObjectDisposedException>(open);
            }
            else
            {
                open();
            }
        }

        await using var next = await fixture.ReopenAsync();

        Assert.Equal(before, await next.Store.PositionAsync(fixture.Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "CP-D18")]
    public async Task A_backup_that_is_put_back_where_a_run_was_killed_while_it_opened_is_still_told()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("a"));
        await fixture.Store.StopAsync();
        var backup = await File.ReadAllBytesAsync(fixture.Database, fixture.Stop);
        await using (var lost = await fixture.ReopenAsync())
        {
            await lost.MustCommitAsync(Put("b"));
        }

        var mark = RunMark.Read(fixture.Options.MarkPath)!;
        (mark with { IsOpening = true }).Write(fixture.Options.MarkPath);
        await File.WriteAllBytesAsync(fixture.Database, backup, fixture.Stop);
        await using var restored = await fixture.ReopenAsync();

        Assert.NotEqual(mark.Timeline, (await restored.Store.PositionAsync(fixture.Stop)).Timeline);
    }

    [Theory(Timeout = Deadline)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "R-S7")]
    public async Task A_store_that_is_gone_is_not_taken_for_a_new_one(bool isEmpty)
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("a"));
        await fixture.Store.StopAsync();
        File.Delete(fixture.Database);
        if (isEmpty)
        {
            await File.WriteAllBytesAsync(fixture.Database, [], fixture.Stop);
        }

        var refused = await Assert.ThrowsAsync<DataDirectoryRefusedException>(fixture.ReopenAsync);

        Assert.Equal(DataDirectoryRefusal.NotAStore, refused.Reason);
        Assert.Contains("resourceVersion 1:", refused.Message, StringComparison.Ordinal);
        Assert.Equal(isEmpty, File.Exists(fixture.Database));
        File.Delete(fixture.Options.MarkPath);
        await using var next = await fixture.ReopenAsync();
        Assert.Equal(1, (await next.MustCommitAsync(Put("b"))).Version);
    }
}
