using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Pods;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Xunit;

namespace Mesh.Grains.Tests.Objects;

/// <summary>A grain that begins on a silo which has not heard yet of what was written on another.</summary>
[Collection(ClusterGroup.Name)]
[Trait("Row", "CP-N5")]
public sealed class LaggingCacheTests(SharedCluster shared) : IDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    private IEnumerable<PlantedCache> Caches => Cluster.Silos.Select(MeshTestCluster.Service<PlantedCache>);

    public void Dispose()
    {
        foreach (var cache in Caches)
        {
            cache.CatchUp();
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task An_end_that_comes_before_its_Pod_is_committed_all_the_same()
    {
        var pod = await StoredPodAsync("a");
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.End("u1", 1UL << 32))).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task Readiness_that_comes_before_the_Pod_of_a_manifest_is_told()
    {
        var pod = await StoredPodAsync("own");
        var ready = pod.Alive("u1", 1UL << 32, node: "own") with { IsRegistered = false, Document = default };
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(ready)).Result);
        await pod.UntilAsync(stored => stored is not null && PodDocument.IsReady(stored.Document));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_asked_of_an_object_finds_it()
    {
        var delete = new ObjectRequest(ObjectVerb.Delete, default, 0, "", false);
        Assert.Equal(ObjectResult.DeletionStarted, (await (await StoredPodAsync("own")).Grain.Write(delete with { DryRun = true }, Stop)).Result);
        Assert.Equal(ObjectResult.DeletionStarted, (await (await StoredPodAsync("own")).Grain.Write(delete, Stop)).Result);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_number_that_a_node_was_known_by_is_not_used_again()
    {
        var node = Kinds.Node("n-lagging");
        LagBehind(node);
        await Cluster.PutAsync(node, """{"apiVersion":"v1","kind":"Node","metadata":{"name":"n-lagging","uid":"u1","annotations":{"mesh.internal/incarnation":"4"}}}""");
        Assert.Equal(4U, await Cluster.Client.GetGrain<INodeGrain>(node.Name).KnownIncarnation(Stop));
    }

    private async Task<ReportedPod> StoredPodAsync(string node)
    {
        var pod = new ReportedPod(Cluster, NamespacedName.Of(await Cluster.NamespaceAsync(), "web"), Stop);
        LagBehind(pod.Key);
        await Cluster.PutAsync(pod.Key, Some.Pod(pod.Name, "u1", "web", node, ready: false));
        return pod;
    }

    /// <summary>On each silo: wherever the grain begins.</summary>
    private void LagBehind(ObjectKey key)
    {
        foreach (var cache in Caches)
        {
            cache.LagBehind(key);
        }
    }
}
