using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Keeping;
using Mesh.Grains.Nodes;
using Mesh.Grains.Pods;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Nodes;

/// <summary>What silence of nodes does, on a clock that the tests move.</summary>
public sealed class SilentNodeTests : IAsyncLifetime
{
    private static readonly NodeFacts Facts = new("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly JumpingClock _clock;
    private MeshTestCluster _cluster = null!;

    public SilentNodeTests() => _clock = new JumpingClock(_time);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await MeshTestCluster.StartAsync(silos: 1, _clock);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = 60_000)]
    public async Task Pods_of_a_node_that_stays_silent_are_not_ready_and_deleted_after_5_minutes()
    {
        var pod = await PodAsync("a");
        await OpenAsync("a");
        await PassAsync(NodeLiveness.SilentAfter - TimeSpan.FromSeconds(1), "a");
        Assert.Equal("True", await ReadyAsync("a"));
        await PassAsync(TimeSpan.FromSeconds(1), "a");
        Assert.Equal("Unknown", await ReadyAsync("a"));
        await pod.UntilAsync(stored => !PodDocument.IsReady(stored!.Document));
        await PassAsync(NodeLiveness.PodsEndAfter - TimeSpan.FromSeconds(1), "a");
        Assert.NotNull(await _cluster.Store.ReadAsync(pod.Key, Stop));
        await PassAsync(TimeSpan.FromSeconds(1), "a");
        Assert.Null(await _cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task No_Pod_is_deleted_while_two_or_more_nodes_over_30_percent_are_silent()
    {
        var pod = await PodAsync("a");
        foreach (var name in new[] { "a", "b", "c" })
        {
            await OpenAsync(name);
        }

        await PassAsync(NodeLiveness.SilentAfter, "a", "b", "c");
        await PassAsync(NodeLiveness.PodsEndAfter * 2, "a", "b", "c");
        Assert.NotNull(await _cluster.Store.ReadAsync(pod.Key, Stop));
        await OpenAsync("b", number: 2);
        await OpenAsync("c", number: 2);
        await PassAsync(TimeSpan.FromSeconds(1), "a"); // now it is the fault of one
        Assert.Null(await _cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_that_is_heard_again_keeps_its_Pods()
    {
        var pod = await PodAsync("a");
        await OpenAsync("a");
        await PassAsync(NodeLiveness.SilentAfter, "a");
        await PassAsync(NodeLiveness.PodsEndAfter - TimeSpan.FromSeconds(1), "a");
        Assert.True(await Grain("a").Alive(new NodeSession("g", 1, 1, "127.0.0.1", "test"), Stop));
        await PassAsync(TimeSpan.FromSeconds(2), "a");
        Assert.Equal("True", await ReadyAsync("a"));
        await PassAsync(NodeLiveness.SilentAfter, "a"); // the silence is counted anew
        Assert.Equal("Unknown", await ReadyAsync("a"));
        Assert.NotNull(await _cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D2")]
    public async Task A_wall_clock_that_is_set_a_machine_that_slept_and_a_process_that_was_stopped_make_no_node_silent()
    {
        await PodAsync("a");
        await OpenAsync("a");
        var version = (await _cluster.Store.ReadAsync(Kinds.Node("a"), Stop))!.ResourceVersion;
        foreach (var hours in new[] { 1, -2, 1 })
        {
            _clock.SetWall(TimeSpan.FromHours(hours));
            await PassAsync(TimeSpan.FromSeconds(1), "a");
        }

        _clock.SetWall(TimeSpan.FromMinutes(1)); // it slept
        await PassAsync(TimeSpan.FromSeconds(1), "a");
        _clock.Stop(TimeSpan.FromMinutes(1));
        await PassAsync(TimeSpan.FromSeconds(1), "a");
        Assert.Equal(version, (await _cluster.Store.ReadAsync(Kinds.Node("a"), Stop))!.ResourceVersion); // it was not even written
        await PassAsync(NodeLiveness.SilentAfter, "a");
        Assert.Equal("Unknown", await ReadyAsync("a"));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(1)]
    [InlineData(12)]
    [Trait("Row", "CP-D14")]
    [Trait("Row", "CP-N7")]
    public async Task A_silo_that_starts_hours_after_a_node_fell_silent_hears_for_5_minutes_before_it_deletes_its_Pods(int hours)
    {
        var pod = await PodAsync("a");
        await OpenAsync("a");
        await PassAsync(NodeLiveness.SilentAfter, "a");
        Assert.Equal("Unknown", await ReadyAsync("a"));
        await _cluster.RestartAllAsync();
        _clock.SetWall(TimeSpan.FromHours(hours));
        await PassAsync(NodeLiveness.SilentAfter + NodeLiveness.PodsEndAfter - TimeSpan.FromSeconds(1), "a");
        Assert.NotNull(await _cluster.Store.ReadAsync(pod.Key, Stop));
        await PassAsync(TimeSpan.FromSeconds(2), "a");
        Assert.Null(await _cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_Event_that_nobody_has_written_for_an_hour_is_deleted()
    {
        var ns = await _cluster.NamespaceAsync();
        var key = Kinds.Event(NamespacedName.Of(ns, "old"));
        await _cluster.PutAsync(key, $$$"""{"apiVersion":"v1","kind":"Event","metadata":{"name":"old","namespace":"{{{ns}}}","uid":"uid-old"}}""");
        var began = _time.GetTimestamp();
        while (await _cluster.Store.ReadAsync(key, Stop) is not null)
        {
            _time.Advance(TimeSpan.FromMinutes(1)); // the Keeper looks
        }

        Assert.True(_time.GetElapsedTime(began) >= OldEvents.EventsLive);
    }

    private async Task<ReportedPod> PodAsync(string node)
    {
        var pod = new ReportedPod(_cluster, NamespacedName.Of(await _cluster.NamespaceAsync(), "web"), Stop);
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u1", 1, node: node))).Result);
        return pod;
    }

    private Task<NodeOpened> OpenAsync(string node, long number = 1) =>
        Grain(node).Open(new NodeSession("g", 1, number, "127.0.0.1", "test"), Facts, Stop);

    /// <summary>Time passes, and each node's grain looks at it every second.</summary>
    private async Task PassAsync(TimeSpan time, params string[] nodes)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += Silence.LookEvery)
        {
            _time.Advance(Silence.LookEvery);
            foreach (var node in nodes)
            {
                await Grain(node).Reconcile(0, Stop);
            }
        }
    }

    private async Task<string?> ReadyAsync(string node) =>
        NodeDocument.ReadyStatus((await _cluster.Store.ReadAsync(Kinds.Node(node), Stop))!.Document);

    private INodeGrain Grain(string name) => _cluster.Client.GetGrain<INodeGrain>(name);
}
