using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Nodes;
using Xunit;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>
/// The Agent of one node: holds registered Pods, tells its own machine first, then reports to their grains, and answers
/// with its inventory when a silo asks for it.
/// </summary>
public sealed class TestAgent
{
    private static int Addresses;
    private readonly ConcurrentDictionary<string, HeldPod> _held = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Task> _answers = new();
    private readonly MeshTestCluster _cluster;
    private readonly TestNode _node;
    private long _counter = 1L << 32;

    public TestAgent(MeshTestCluster cluster, TestNode node)
    {
        (_cluster, _node) = (cluster, node);
        node.Asked = ns => _answers.Enqueue(Task.Run(() => AnswerAsync(ns)));
    }

    public ulong Counter => (ulong)Volatile.Read(ref _counter);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A Pod that registers itself; returns its uid.</summary>
    public async Task<string> RegisterAsync(NamespacedName name, string app = "web")
    {
        var liveness = Next();
        var pod = new HeldPod(name.Namespace, name.Name, $"uid-{name.Name}-{liveness}", liveness, true, false, true);
        Hold(pod);
        var address = string.Create(CultureInfo.InvariantCulture, $"127.80.1.{Interlocked.Increment(ref Addresses)}");
        var document = $$$"""
            {"kind":"Pod","metadata":{"labels":{"app":"{{{app}}}"},"annotations":{"mesh.internal/pod-ip":"{{{address}}}"}},
            "spec":{"containers":[{"ports":[{"name":"http","containerPort":8080}]}]}}
            """;
        await ReportAsync(pod, document);
        return pod.Uid;
    }

    public Task SetReadyAsync(NamespacedName name, bool isReady)
    {
        var pod = _held[name.ToString()] with { Liveness = Next(), IsReady = isReady };
        Hold(pod);
        return ReportAsync(pod);
    }

    /// <summary>The Pod dies. What of the report is answered is up to the test.</summary>
    public async Task<PodReportReply> EndAsync(NamespacedName name)
    {
        Assert.True(_held.TryRemove(name.ToString(), out var pod));
        var ended = pod with { Liveness = Next(), IsReady = false };
        _node.ApplyLocal(Local(ended, isAlive: false));
        return await Grain(name).Report(Report(ended, "") with { IsEnded = true, Reason = "StreamClosed" }, Stop);
    }

    /// <summary>Until every inventory that was asked for is told.</summary>
    public Task AnsweredAsync() => Task.WhenAll(_answers);

    private async Task AnswerAsync(string ns)
    {
        try
        {
            HeldPod[] held = [.. _held.Values.Where(pod => ns.Length == 0 || pod.Namespace == ns)];
            await MeshTestCluster.Service<InventoryRouting>(_cluster.Silos[0]).RouteAsync(_node.Name, Counter, ns, held, Stop);
        }
#pragma warning disable CA1031 // The silo that asked may stop meanwhile; the next one asks again.
        catch (Exception) when (!Stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
        }
    }

    private ulong Next() => (ulong)Interlocked.Increment(ref _counter);

    private void Hold(HeldPod pod)
    {
        _held[$"{pod.Namespace}/{pod.Name}"] = pod;
        _node.ApplyLocal(Local(pod, isAlive: true));
    }

    private async Task ReportAsync(HeldPod pod, string document = "")
    {
        // As the node does: until it is acknowledged, whatever stops meanwhile.
        while (!await TryReportAsync(Grain(NamespacedName.Of(pod.Namespace, pod.Name)), Report(pod, document)))
        {
            Stop.ThrowIfCancellationRequested();
        }
    }

    private static async Task<bool> TryReportAsync(IPodGrain grain, PodReport report)
    {
        try
        {
            return (await grain.Report(report, Stop)).Result != PodReportResult.Retry;
        }
        catch (Exception moving) when (moving is OrleansException or TimeoutException)
        {
            return false;
        }
    }

    private PodReport Report(HeldPod pod, string document) => new(
        pod.Namespace, pod.Name, pod.Uid, _node.Name, Encoding.UTF8.GetBytes(document), document.Length > 0 ? 1 : 0,
        pod.Liveness, pod.IsReady, false, false, "", "", IsRegistered: document.Length > 0);

    private IPodGrain Grain(NamespacedName name) => _cluster.Client.GetGrain<IPodGrain>(name.ToString());

    private static LocalPod Local(HeldPod pod, bool isAlive) =>
        new(NamespacedName.Of(pod.Namespace, pod.Name), pod.Uid, isAlive, pod.IsReady, false, pod.Liveness);
}
