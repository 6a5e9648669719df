using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Nodes;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Nodes;

[Collection(ClusterGroup.Name)]
public class NodeGrainTests(SharedCluster shared)
{
    private static readonly NodeFacts Facts = new("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 30_000)]
    public async Task A_node_that_links_stands_in_the_API_as_Ready()
    {
        var opened = await Grain("n-ready").Open(Session("g1", 3, 1), Facts, Stop);
        Assert.True(opened.IsNewest);
        var document = (await StoredAsync("n-ready", stored => stored is not null))!.Document;
        Assert.Equal("True", NodeDocument.ReadyStatus(document));
        Assert.Equal(["127.0.0.1"], NodeDocument.Addresses(document));
        Assert.Equal(3U, NodeDocument.Incarnation(document));
        Assert.Equal(3U, await Grain("n-ready").KnownIncarnation(Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task Only_the_newest_link_of_a_node_counts()
    {
        var grain = Grain("n-newest");
        await grain.Open(Session("g2", 1, 7), Facts, Stop);
        Assert.False(await grain.Alive(Session("g1", 1, 6), Stop));
        Assert.True(await grain.Alive(Session("g2", 1, 7), Stop));
        Assert.True((await grain.Open(Session("g3", 2, 1), Facts, Stop)).IsNewest);
        Assert.False(await grain.Alive(Session("g2", 1, 7), Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_node_links_though_the_store_is_silent_and_its_object_follows()
    {
        Cluster.Store.Choose((writes, _) => writes.Any(write => write.Key == Kinds.Node("n-late")) ? StoreFault.Unavailable : StoreFault.None);
        var opened = await Grain("n-late").Open(Session("g1", 1, 1), Facts, Stop);
        Assert.True(opened.IsNewest);
        Cluster.Store.Heal();
        await StoredAsync("n-late", stored => stored is not null);
    }

    [Fact(Timeout = 30_000)]
    public async Task Writing_a_Node_is_refused()
    {
        var reply = await Grain("n-none").Write(new ObjectRequest(ObjectVerb.Create, "{}"u8.ToArray(), 0, "", false), Stop);
        Assert.Equal(ObjectResult.Invalid, reply.Result);
        Assert.Contains("not in this version", reply.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D19")]
    public async Task A_caller_that_gives_up_takes_the_look_from_no_other()
    {
        var come = Cluster.Store.Block((writes, _) => writes.Any(write => write.Key == Kinds.Node("n-shared")));
        using var giveUp = new CancellationTokenSource();
        var first = Grain("n-shared").Open(Session("g1", 1, 1), Facts, giveUp.Token);
        await come.WaitAsync(Stop);
        var second = Grain("n-shared").Open(Session("g2", 1, 2), Facts with { Cpus = 3 }, Stop);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        Cluster.Store.Heal();
        Assert.True((await second).IsNewest);
        await StoredAsync("n-shared", stored => stored is not null && NodeDocument.ReadyStatus(stored.Document) == "True");
    }

    private INodeGrain Grain(string name) => Cluster.Client.GetGrain<INodeGrain>(name);

    private static NodeSession Session(string gateway, uint incarnation, long number) => new(gateway, incarnation, number, "127.0.0.1", "test");

    private async Task<StoredObject?> StoredAsync(string name, Func<StoredObject?, bool> wanted)
    {
        var cache = Cluster.Cache();
        using var watch = cache.Watch(key => key == Kinds.Node(name), cache.Version);
        while (!wanted(cache.Get(Kinds.Node(name))))
        {
            await watch.NextAsync(Stop);
        }

        return cache.Get(Kinds.Node(name));
    }
}
