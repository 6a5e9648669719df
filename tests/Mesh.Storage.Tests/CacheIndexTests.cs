using System.Text;
using CsCheck;
using Mesh.Core.Names;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

/// <summary>What is found by an index is what a look at every object finds, whatever was written and however the cache came to know it.</summary>
public sealed class CacheIndexTests
{
    private const int Deadline = 60_000;

    private static readonly CacheIndex ByApp = CacheIndex.Of("", "Pod", static stored => stored.Label("app") is { } app ? [app] : []);
    private static readonly CacheIndex ByOwner = CacheIndex.OfAll(static stored => stored.Owners.Select(owner => owner.Uid));

    private static Gen<Step[]> Steps { get; } =
        (from kind in Gen.OneOf("Pod", "Service")
         from ns in Gen.OneOf("a", "b")
         from name in Gen.OneOf("x", "y")
         from app in Gen.OneOf("", "p", "q")
         from owners in Gen.OneOf("p", "q").Array[0, 2]
         from isGone in Gen.OneOf(false, false, true)
         select new Step(kind, ns, name, app, owners, isGone)).Array[1, 8];

    [Fact(Timeout = Deadline)]
    [Trait("Row", "CP-D5")]
    public async Task An_index_finds_what_a_look_at_every_object_finds()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var following = await fixture.StartCacheAsync(null, ByApp, ByOwner);
        await Steps.SampleAsync(
            async steps =>
            {
                foreach (var step in steps)
                {
                    await fixture.MustCommitAsync(step.Write);
                }

                Check(following);
                await using var loaded = await fixture.StartCacheAsync(null, ByApp, ByOwner);
                Check(loaded);
            },
            iter: 40,
            threads: 1);
    }

    [Fact]
    public void The_steps_move_objects_between_words_give_them_two_and_take_them_away()
    {
        var (moved, two, gone) = (0, 0, 0);
        Steps.Sample(
            steps =>
            {
                two += steps.Count(step => !step.IsGone && step.Owners.Distinct().Count() == 2);
                var byKey = steps.GroupBy(step => step.Key).Select(writes => writes.ToArray()).ToArray();
                moved += byKey.Count(writes => writes.Where(step => !step.IsGone).Select(step => step.App).Distinct().Count() > 1);
                gone += byKey.Count(writes => writes is [{ IsGone: false }, .., { IsGone: true }]);
            },
            iter: 200,
            threads: 1);
        Assert.True(moved > 20 && two > 20 && gone > 20, $"{moved}, {two}, {gone}");
    }

    [Fact(Timeout = Deadline)]
    public async Task The_words_of_an_object_are_read_at_its_own_commits_and_at_no_other()
    {
        var read = new List<string>();
        var counting = CacheIndex.Of("", "Pod", stored =>
        {
            read.Add(stored.Key.Name);
            return ["all"];
        });
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await fixture.MustCommitAsync(Put("loaded"));
        await using var cache = await fixture.StartCacheAsync(null, counting);
        Assert.Equal(["loaded"], read);

        await fixture.MustCommitAsync(Put("a"));
        await fixture.MustCommitAsync(new Write.Put(new ObjectKey("", "Service", "default", "s"), "{\"metadata\":{}}"u8.ToArray(), Precondition.None));
        Assert.Equal(2, cache.Find(counting, "all").Count);
        Assert.Equal(["loaded", "a"], read);
    }

    [Fact(Timeout = Deadline)]
    public async Task An_object_whose_words_cannot_be_read_is_stored_and_found_by_none()
    {
        var unreadable = CacheIndex.Of("", "Pod", static stored => throw new FormatException(stored.Key.Name));
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        await using var cache = await fixture.StartCacheAsync(null, unreadable);

        await fixture.MustCommitAsync(Put("odd"));

        Assert.NotNull(cache.Get(Pod("odd")));
        Assert.Empty(cache.FindAll(unreadable));
        Assert.Throws<ArgumentException>(() => cache.Find(ByApp, "p")); // an index that this cache was not given
    }

    private static void Check(WatchCache cache)
    {
        StoredObject[] all = [.. cache.List("", "Pod", null).Items, .. cache.List("", "Service", null).Items];
        foreach (var word in new[] { "", "p", "q" })
        {
            Assert.Equal(all.Where(stored => stored.Key.Kind == "Pod" && stored.Label("app") == word), cache.Find(ByApp, word));
            Assert.Equivalent(all.Where(stored => stored.Owners.Any(owner => owner.Uid == word)).Select(stored => stored.Key), cache.Find(ByOwner, word).Select(stored => stored.Key), strict: true);
        }

        Assert.Equivalent(all.Where(stored => stored.Owners.Count > 0).Select(stored => stored.Key), cache.FindAll(ByOwner).Select(stored => stored.Key), strict: true);
        Assert.Equal(all.Sum(stored => stored.Owners.Select(owner => owner.Uid).Distinct().Count()), cache.Count(ByOwner));
    }

    private sealed record Step(string Kind, string Namespace, string Name, string App, string[] Owners, bool IsGone)
    {
        public ObjectKey Key => new("", Kind, Namespace, Name);

        public Write Write => IsGone ? new Write.Delete(Key, Precondition.None) : new Write.Put(Key, Encoding.UTF8.GetBytes(Document), Precondition.None);

        private string Document => $$$"""
            {"metadata":{"name":"{{{Name}}}","uid":"u"{{{(App.Length == 0 ? "" : $",\"labels\":{{\"app\":\"{App}\"}}")}}},
            "ownerReferences":[{{{string.Join(',', Owners.Select(uid => $$"""{"apiVersion":"v1","kind":"Pod","name":"o","uid":"{{uid}}","blockOwnerDeletion":true}"""))}}}]} }
            """;
    }
}
