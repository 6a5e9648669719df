using Mesh.Core.Routing;
using Mesh.Grains.Registry;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing.Time;
using Xunit;

namespace Mesh.Grains.Tests.Registry;

/// <summary>A node that holds nothing in a namespace any more sends no digest of it: its registry asks.</summary>
public sealed class SilentHolderTests : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(20);

    private readonly PlantedTime _time = new();
    private MeshTestCluster _cluster = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await MeshTestCluster.StartAsync(silos: 1, _time);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "pod registry")]
    public async Task A_ghost_of_a_node_that_holds_nothing_else_there_is_found_though_the_first_question_is_lost()
    {
        // The registry's first wait for its nodes meets an exception: it would never ask anybody again.
        _time.FailTimers(1, static (due, period) => due == PodRegistryGrain.InventoryWait && period == Timeout.InfiniteTimeSpan);
        var scene = await EndpointScene.OpenAsync(_cluster);
        var (holder, other) = (scene.Nodes[0], scene.Nodes[1]);
        _cluster.Network.LoseFirst(1, Loss.Message, "HintRenew", holder.Name);
        await scene.ApplyAsync(Some.Row("ghost", 1000, 1, node: holder.Name)); // its end was lost, and so was its object
        await PassUntilAsync(scene, Retry, () => other.History.Any(IsRouted));

        await PassUntilAsync(scene, Step, () => !IsRouted(other.Current));

        Assert.Contains(_cluster.Network.Seen, call => call is { Method: "HintRenew", Loss: Loss.Message });
        await _cluster.Loops.EndedAsync("pod registry", Stop);

        bool IsRouted(RoutingSnapshot snapshot) => snapshot.Services.TryGetValue(scene.Service, out var route) && route.Ports[0].Usable.Length > 0;
    }

    [Fact]
    public void A_node_is_asked_after_a_minute_without_a_word_and_not_while_it_speaks_or_holds_nothing()
    {
        var words = new NodeWords(_time);
        Assert.Empty(words.TakeSilent(Holders("a", "b")));
        _time.Advance(NodeWords.AskAfter - Step);
        Assert.Empty(words.TakeSilent(Holders("a", "b")));
        words.Hear("b");
        _time.Advance(Step);
        Assert.Equal(["a"], words.TakeSilent(Holders("a", "b")));
        Assert.Empty(words.TakeSilent(Holders("a", "b"))); // it was just asked
        _time.Advance(NodeWords.AskAfter);
        Assert.Equal(["a"], words.TakeSilent(Holders("a")));
        Assert.Empty(words.TakeSilent(Holders("b")));
    }

    private static HashSet<string> Holders(params string[] nodes) => [.. nodes];

    /// <summary>Time passes all the while: whatever failed on the way is tried again only then.</summary>
    private async Task PassUntilAsync(EndpointScene scene, TimeSpan step, Func<bool> isSo)
    {
        while (!isSo())
        {
            _time.Advance(step);
            await scene.Registry.Wake(Stop);
            await scene.Agents[0].AnsweredAsync();
        }
    }
}
