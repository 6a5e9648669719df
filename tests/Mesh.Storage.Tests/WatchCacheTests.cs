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
        Assert.Equal(3, watch.Version);
    }
}
