using System.Text;
using CsCheck;
using Mesh.Core.Names;
using Mesh.Grains.Keeping;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Mesh.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Grains.Tests.Keeping;

/// <summary>Which objects a change makes worth a look: few, and all that need one.</summary>
public sealed class OwnedGarbageTests
{
    private static readonly string[] Names = ["a", "b", "c", "d"];
    private static readonly string?[] Finalizers = [null, "foregroundDeletion", "orphan"];

    private readonly StillCache _cache = new();

    private static Gen<Reference[]> References { get; } =
        (from name in Gen.OneOf(Names)
         from life in Gen.OneOf(1, 1, 2)
         from blocks in Gen.Bool
         select new Reference(name, life, blocks)).Array[0, 2];

    private static Gen<State> States { get; } =
        from name in Gen.OneOf(Names)
        from life in Gen.OneOf(1, 1, 2)
        from owners in References
        from isDeleting in Gen.OneOf(false, false, true)
        from finalizer in Gen.OneOf(Finalizers)
        from isThere in Gen.OneOf(true, true, false)
        select new State(name, life, owners, isDeleting, finalizer, isThere);

    [Fact]
    [Trait("Row", "CP-D6")]
    public void A_deletion_makes_only_what_it_owned_and_its_owners_worth_a_look_and_lists_nothing()
    {
        for (var i = 0; i < 100; i++)
        {
            Put(new State($"owner{i}", 1, [], false, null, true));
            Put(new State($"owned{i}", 1, [new($"owner{i}", 1, false)], false, null, true));
        }

        var garbage = Garbage();
        Assert.Equal([Key("owned7")], garbage.LookAfter(Gone(new State("owner7", 1, [], false, null, true))));
        Assert.Equal([Key("owner8")], garbage.LookAfter(Gone(new State("owned8", 1, [new("owner8", 1, false)], false, null, true))));
        Assert.Empty(garbage.LookAfter(Gone(new State("plain", 1, [], false, null, true))));
        Assert.Empty(garbage.LookAfter(new StoreChange(StoreChangeType.Deleted, Stored(new State("owner9", 1, [], false, null, true)) with { Key = new ObjectKey("", "Event", "ns", "owner9") }, null)));
        Assert.Equal(0, _cache.Lists);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D8")]
    public async Task An_object_whose_step_meets_an_exception_keeps_back_none_behind_it()
    {
        string[] owned = ["a", "b", "c"];
        Array.ForEach(owned, name => Put(new State(name, 1, [new("gone", 1, false)], false, null, true)));
        var log = new WatchedLoops();
        var garbage = Garbage(log); // nothing here ends an object: each step meets one
        Array.ForEach(owned, name => garbage.Mark(Key(name)));
        await garbage.LookAsync(TestContext.Current.CancellationToken);
        Assert.Equal(owned.Length, log.Lines.Count);
        await garbage.LookAsync(TestContext.Current.CancellationToken);
        Assert.Equal(owned.Length, log.Lines.Count); // left to the sweep
    }

    [Fact]
    public void Whatever_a_change_makes_a_step_for_is_looked_at()
    {
        var found = 0;
        Gen.Select(States.Array[0, 8], States).Sample(
            (before, change) =>
            {
                foreach (var name in Names)
                {
                    _cache.Remove(Key(name));
                }

                Array.ForEach(before, Put);
                var garbage = Garbage();
                var had = Steps(garbage);
                var looks = garbage.LookAfter(Apply(change)).ToHashSet();
                var needed = Steps(garbage).Except(had).ToArray();
                found += needed.Length;
                Assert.True(looks.IsSupersetOf(needed), $"{string.Join(' ', needed)} of {string.Join(' ', looks)}");
            },
            iter: 3_000,
            threads: 1);
        Assert.True(found > 300, $"{found}"); // the states reach steps
    }

    private OwnedGarbage Garbage(ILogger? log = null) => new(_cache, null!, Some.Kinds, log ?? NullLogger.Instance);

    private static HashSet<ObjectKey> Steps(OwnedGarbage garbage, StillCache cache) =>
        [.. Names.Select(Key).Select(cache.Get).OfType<StoredObject>().Where(stored => garbage.StepOf(stored) is not null).Select(stored => stored.Key)];

    private HashSet<ObjectKey> Steps(OwnedGarbage garbage) => Steps(garbage, _cache);

    private void Put(State state) => Apply(state);

    /// <summary>The change as the cache tells it.</summary>
    private StoreChange Apply(State state)
    {
        var previous = _cache.Get(Key(state.Name));
        if (state.IsThere)
        {
            return new StoreChange(previous is null ? StoreChangeType.Added : StoreChangeType.Modified, _cache.Put(Stored(state)), previous);
        }

        _cache.Remove(Key(state.Name));
        return new StoreChange(StoreChangeType.Deleted, previous ?? Stored(state), previous);
    }

    private static StoreChange Gone(State state) => new(StoreChangeType.Deleted, Stored(state), Stored(state));

    private static ObjectKey Key(string name) => new("", "ConfigMap", "ns", name);

    private static StoredObject Stored(State state) =>
        new(Key(state.Name), $"{state.Name}-{state.Life}", 1, 1, state.IsDeleting, Encoding.UTF8.GetBytes(Document(state)));

    private static string Document(State state) => $$$"""
        {"metadata":{"name":"{{{state.Name}}}","ownerReferences":[{{{string.Join(',', state.Owners.Select(Document))}}}]{{{(state.Finalizer is { } own ? $",\"finalizers\":[\"{own}\"]" : "")}}}} }
        """;

    private static string Document(Reference owner) =>
        $$"""{"apiVersion":"v1","kind":"ConfigMap","name":"{{owner.Name}}","uid":"{{owner.Name}}-{{owner.Life}}","blockOwnerDeletion":{{(owner.Blocks ? "true" : "false")}}}""";

    private sealed record Reference(string Name, int Life, bool Blocks);

    private sealed record State(string Name, int Life, Reference[] Owners, bool IsDeleting, string? Finalizer, bool IsThere);
}
