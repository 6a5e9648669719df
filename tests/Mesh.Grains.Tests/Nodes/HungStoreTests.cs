using System.Collections.Concurrent;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Nodes;
using Mesh.Grains.Tests.Cluster;
using Mesh.NodeLink.SiloEnd;
using Mesh.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Nodes;

/// <summary>A store that takes commits and answers none, behind a real link whose node has much to tell.</summary>
public sealed class HungStoreTests : IAsyncLifetime
{
    private const int Each = 1000;

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SemaphoreSlim _alive = new(0);
    private readonly ConcurrentQueue<string?> _nodeShown = new();
    private MeshTestCluster _cluster = null!;
    private LinkSession _session = null!;
    private int _seconds;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await MeshTestCluster.StartAsync(silos: 1, _time);

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _alive.Dispose();
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "CP-D1")]
    public async Task While_the_store_hangs_for_20_s_every_death_reaches_every_snapshot_the_node_stays_ready_and_nothing_is_lost_after()
    {
        var service = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        await _cluster.Client.GetGrain<IServiceGrain>(service.ToString()).Write(Some.Create(Some.Service(service)), Stop);
        var other = new TestNode("other");
        using var otherLink = await _cluster.LinkAsync(other, _cluster.Silos[0]);
        await using var machine = new LinkedMachine(_cluster, new TestNode("machine"), _time);
        _cluster.Network.Choose(call =>
        {
            if (call.MethodName == "Alive" && call.TargetId.Key.ToString() == "machine")
            {
                _alive.Release();
            }

            return Loss.None;
        });
        await machine.LinkAsync(Stop);
        _session = await machine.Silo.LinkedAsync(Stop);
        await _alive.WaitAsync(Stop);
        NamespacedName[] known = [.. Enumerable.Range(0, Each).Select(i => NamespacedName.Of(service.Namespace, $"known-{i}"))];
        NamespacedName[] fresh = [.. Enumerable.Range(0, Each).Select(i => NamespacedName.Of(service.Namespace, $"fresh-{i}"))];
        var survivor = NamespacedName.Of(service.Namespace, "survivor");
        machine.Register(survivor, 2 * Each);
        foreach (var (pod, number) in known.Select((pod, number) => (pod, number)))
        {
            machine.Register(pod, number);
        }

        TestNode[] nodes = [machine.Node, other];
        await UntilAsync(nodes, service, Each + 1);
        await AcknowledgedAsync(machine);
        await NodeReadyAsync();

        _cluster.Store.Block();
        foreach (var (pod, number) in fresh.Select((pod, number) => (pod, number)))
        {
            machine.Register(pod, Each + number);
        }

        foreach (var pod in known)
        {
            machine.End(pod);
        }

        await UntilAsync(nodes, service, 1);
        machine.SetReady(survivor, false);
        await UntilAsync(nodes, service, 0);
        machine.SetReady(survivor, true);
        await UntilAsync(nodes, service, 1);
        await PassAsync(seconds: 21);
        Assert.InRange(machine.Outbox.Count, 2 * Each, (2 * Each) + 1);

        _cluster.Store.Heal();
        _cluster.Store.Choose(SeeNode);
        await AcknowledgedAsync(machine);
        await UntilAsync(nodes, service, Each + 1);
        Assert.All(await Task.WhenAll(known.Select(StoredAsync)), Assert.Null);
        Assert.All(await Task.WhenAll(fresh.Append(survivor).Select(StoredAsync)), Assert.NotNull);
        Assert.All(_nodeShown, ready => Assert.Equal("True", ready));
        otherLink.End();
    }

    private static Task<RoutingSnapshot[]> UntilAsync(TestNode[] nodes, NamespacedName service, int usable) => Task.WhenAll(
        nodes.Select(node => node.UntilAsync(snapshot => TestNode.Usable(snapshot, service)?.Count == usable, Stop)));

    private Task<StoredObject?> StoredAsync(NamespacedName pod) => _cluster.Store.ReadAsync(Kinds.Pod(pod), Stop);

    private async Task AcknowledgedAsync(LinkedMachine machine)
    {
        while (machine.Outbox.Count > 0)
        {
            await PassAsync(seconds: 1);
        }
    }

    /// <summary>Time passes no faster than the link is answered and the node's grain told that it lives.</summary>
    private async Task PassAsync(int seconds)
    {
        for (var passed = 0; passed < seconds; passed++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await _session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: false, Stop);
            if (++_seconds % NodeLiveness.TellEvery.TotalSeconds == 0)
            {
                await _alive.WaitAsync(Stop);
            }
        }
    }

    private StoreFault SeeNode(IReadOnlyList<Write> writes, CommitClass commitClass)
    {
        foreach (var put in writes.OfType<Write.Put>().Where(put => put.Key == Kinds.Node("machine")))
        {
            _nodeShown.Enqueue(NodeDocument.ReadyStatus(put.Document));
        }

        return StoreFault.None;
    }

    private async Task NodeReadyAsync()
    {
        var cache = _cluster.Cache();
        using var watch = cache.Watch(key => key == Kinds.Node("machine"), cache.Version);
        while (cache.Get(Kinds.Node("machine")) is not { } stored || NodeDocument.ReadyStatus(stored.Document) != "True")
        {
            await watch.NextAsync(Stop);
        }
    }
}
