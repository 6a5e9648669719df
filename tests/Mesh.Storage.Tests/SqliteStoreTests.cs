using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

public sealed class SqliteStoreTests
{
    private const int Deadline = 30_000;

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
}
