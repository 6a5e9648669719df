using System.Globalization;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Nodes;
using Mesh.Grains.Pods;
using Mesh.Grains.Registry;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Microsoft.Extensions.Time.Testing;
using Orleans.Metadata;
using Xunit;

namespace Mesh.Grains.Tests.Activations;

/// <summary>A Pod to which nothing happens needs no activation, on a clock that the tests move.</summary>
public sealed class IdlePodTests : IAsyncLifetime
{
    private const int Pods = 20;
    private const string Node = "a";
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private static readonly NodeSession Session = new("g", 1, 1, "127.0.0.1", "test");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private MeshTestCluster _cluster = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await MeshTestCluster.StartAsync(silos: 1, _time);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = 120_000)]
    [Trait("Row", "CP-D7")]
    public async Task Idle_Pods_go_after_2_minutes_and_neither_the_Keeper_nor_a_node_that_links_again_wakes_them()
    {
        var ns = await _cluster.NamespaceAsync();
        var pods = Enumerable.Range(0, Pods).Select(i => new ReportedPod(_cluster, NamespacedName.Of(ns, $"p{i}"), Stop)).ToArray();
        foreach (var pod in pods)
        {
            Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u-" + pod.Name.Name, 1, node: Node))).Result);
        }

        await CollectAsync();
        var properties = MeshTestCluster.Service<IClusterManifestProvider>(_cluster.Silos[0]).LocalGrainManifest.Grains[GrainType.Create("mesh.pod")].Properties;
        Assert.Equal(TimeSpan.FromMinutes(2), TimeSpan.Parse(properties[WellKnownGrainTypeProperties.IdleDeactivationPeriod], CultureInfo.InvariantCulture));
        var (woken, rounds) = (0, 0);
        _cluster.Network.Choose(call =>
        {
            var (type, key) = (call.TargetId.Type.ToString(), call.TargetId.Key.ToString()!);
            if (type == "mesh.pod" && key.StartsWith(ns + "/", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref woken);
            }
            else if (type == "mesh.pod-registry" && call.MethodName == "Wake" && key == ns + "/0")
            {
                Interlocked.Increment(ref rounds);
            }

            return Loss.None;
        });
        await PassRoundsAsync(1); // whoever was to be woken for the registrations has been
        await CollectAsync();
        Interlocked.Exchange(ref woken, 0);
        await PassRoundsAsync(3);
        HeldPod[] held = [.. pods.Select(pod => new HeldPod(ns, pod.Name.Name, "u-" + pod.Name.Name, 1, true, false, true))];
        await MeshTestCluster.Service<InventoryRouting>(_cluster.Silos[0]).RouteAsync(Node, 1, "", held, Stop); // as on a new link
        Assert.Equal((0, 0), (Volatile.Read(ref woken), await PodGrainsAsync()));

        Assert.Equal(PodReportResult.Accepted, (await pods[0].ReportAsync(pods[0].Alive("u-p0", 2, ready: false, node: Node))).Result);
        await pods[0].UntilAsync(stored => !PodDocument.IsReady(stored!.Document));
        Assert.Equal(1, await PodGrainsAsync());

        async Task PassRoundsAsync(int count)
        {
            var until = Volatile.Read(ref rounds) + count;
            await PassUntilAsync(async () =>
            {
                await Task.Yield();
                return Volatile.Read(ref rounds) >= until;
            });
        }
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "CP-D7")]
    public async Task A_Pod_that_went_idle_while_its_node_was_silent_shows_what_it_was_when_the_node_is_heard_again()
    {
        var ns = await _cluster.NamespaceAsync();
        var pod = new ReportedPod(_cluster, NamespacedName.Of(ns, "web"), Stop);
        var awaited = new ReportedPod(_cluster, NamespacedName.Of(ns, "awaited"), Stop);
        var facts = new NodeFacts("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30);
        await NodeGrain.Open(Session, facts, Stop);
        await _cluster.Client.GetGrain<INodeGrain>("b").Open(Session, facts, Stop); // two silent nodes: no Pod is given up
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u1", 1, node: Node))).Result);
        var waits = awaited.Alive("u2", 1, ready: false, node: Node) with { Reason = PodReasons.ProcessAwaited, Message = "127.0.0.1:80" };
        Assert.Equal(PodReportResult.Accepted, (await awaited.ReportAsync(waits)).Result);
        await PassUntilAsync(async () => await ShownAsync(pod) is { Reason: PodStatus.NodeUnknown } && await ShownAsync(awaited) is { Reason: PodStatus.NodeUnknown });
        await CollectAsync();
        Assert.Equal(PodStatus.NodeUnknown, (await ShownAsync(pod)).Reason);

        await PassUntilAsync(async () =>
        {
            Assert.True(await NodeGrain.Alive(Session, Stop));
            return await ShownAsync(pod) is { Ready: "True" } && await ShownAsync(awaited) is { Reason: PodReasons.ProcessAwaited, Message: "127.0.0.1:80" };
        });
        var document = Encoding.UTF8.GetString((await _cluster.Store.ReadAsync(awaited.Key, Stop))!.Document.Span);
        Assert.Contains("\"phase\":\"Pending\"", document, StringComparison.Ordinal);
        Assert.DoesNotContain("startedAt", document, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "CP-D7")]
    public async Task A_Pod_without_an_activation_gets_every_change()
    {
        var ns = await _cluster.NamespaceAsync();
        var facts = new NodeFacts("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30);
        await NodeGrain.Open(Session, facts, Stop);
        await _cluster.Client.GetGrain<INodeGrain>("b").Open(Session, facts, Stop);
        var (told, patched, deleted, ended, orphan) = (Pod("told"), Pod("patched"), Pod("deleted"), Pod("ended"), Pod("orphan"));
        ulong liveness = 0;
        foreach (var pod in new[] { told, patched, deleted, ended, orphan })
        {
            Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u-" + pod.Name.Name, ++liveness, node: pod == orphan ? "b" : Node))).Result);
        }

        await CollectAsync();
        Assert.Equal(PodReportResult.Accepted, (await told.ReportAsync(told.Alive("u-told", ++liveness, ready: false))).Result);
        var document = Encoding.UTF8.GetString((await _cluster.Store.ReadAsync(patched.Key, Stop))!.Document.Span);
        Assert.Equal(ObjectResult.Committed, (await patched.Grain.Write(Some.Update(document.Replace("\"web\"", "\"other\"", StringComparison.Ordinal)), Stop)).Result);
        Assert.Equal(ObjectResult.Committed, (await deleted.Grain.Write(Some.Delete() with { GracePeriodSeconds = 0 }, Stop)).Result);
        Assert.Equal(PodReportResult.Accepted, (await ended.ReportAsync(ended.End("u-ended", ++liveness))).Result);
        Assert.False((await RowAsync(told))!.IsReady);
        Assert.True(await RowAsync(patched) is { IsReady: true, Order.Liveness: 2 } row && row.Labels["app"] == "other");
        Assert.Null(await RowAsync(deleted));
        Assert.Null(await RowAsync(ended));
        await told.UntilAsync(stored => !PodDocument.IsReady(stored!.Document));

        await CollectAsync();
        await PassUntilAsync(async () => await NodeGrain.Alive(Session, Stop) && await RowAsync(orphan) is null); // node b is heard of no more
        Assert.Null(await _cluster.Store.ReadAsync(orphan.Key, Stop));
        Assert.NotNull(await RowAsync(patched));

        ReportedPod Pod(string name) => new(_cluster, NamespacedName.Of(ns, name), Stop);
        Task<PodRow?> RowAsync(ReportedPod pod) => _cluster.Client.GetGrain<IPodRegistryGrain>(RegistryKeys.Of(ns)).Find(pod.Name.Name, Stop);
    }

    private INodeGrain NodeGrain => _cluster.Client.GetGrain<INodeGrain>(Node);

    private async Task<ShownPod> ShownAsync(ReportedPod pod) => ShownPod.Read((await _cluster.Store.ReadAsync(pod.Key, Stop))!.Document);

    private IManagementGrain Management => _cluster.Client.GetGrain<IManagementGrain>(0);

    /// <summary>Orleans counts idleness by a clock of its own, so the age that the grain asks for is read and not waited for.</summary>
    private async Task CollectAsync()
    {
        while (await PodGrainsAsync() > 0)
        {
            await Management.ForceActivationCollection(TimeSpan.FromMilliseconds(1), Stop);
        }
    }

    private async Task<int> PodGrainsAsync() => (await Management.GetDetailedGrainStatistics())
        .Count(held => held.GrainId.Type.ToString() == "mesh.pod");

    /// <summary>Time passes, and whoever waited for it has its turn.</summary>
    private async Task PassUntilAsync(Func<Task<bool>> isSo)
    {
        while (!await isSo())
        {
            _time.Advance(Step);
            Stop.ThrowIfCancellationRequested();
        }
    }
}
