using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Pods;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Pods;

/// <summary>Pods whose objects somebody holds by a finalizer.</summary>
[Collection(ClusterGroup.Name)]
public class FinalizedPodTests(SharedCluster shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 60_000)]
    public async Task A_held_Pod_that_ends_leaves_the_endpoints_at_once_and_its_object_stays_until_its_finalizers_are_gone()
    {
        var scene = await EndpointScene.OpenAsync(Cluster);
        var pod = new ReportedPod(Cluster, scene.Pod("a"), Stop);
        await scene.Agents[0].RegisterAsync(pod.Name);
        await scene.UntilAsync("a");
        await HoldAsync(pod);
        Assert.Equal(PodReportResult.Accepted, (await scene.Agents[0].EndAsync(pod.Name)).Result);
        await scene.UntilAsync();
        var held = await StoredAsync(pod);
        Assert.True(held.IsDeleting);
        Assert.True(PodDocument.IsTerminal(held.Document));
        Assert.False(PodDocument.IsReady(held.Document));

        // Grains that know it only as it is stored bring nothing back.
        await scene.DeactivateAsync(pod.Grain);
        await scene.DeactivateAsync(scene.Registry);
        await scene.Agents[0].RegisterAsync(scene.Pod("b"));
        await pod.Grain.Reconcile(0, Stop);
        Cluster.RenewAll();
        await scene.UntilAsync("b");

        Assert.Equal(ObjectResult.Committed, (await ReleaseAsync(pod)).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(StoreFault.Unavailable)]
    [InlineData(StoreFault.UnknownNotWritten)]
    [InlineData(StoreFault.UnknownWritten)]
    public async Task The_end_of_a_held_Pod_is_acknowledged_only_when_its_mark_is_committed(StoreFault fault)
    {
        var pod = await PodAsync();
        await HoldAsync(pod);
        Cluster.Store.Choose((writes, _) => writes.Any(write => write.Key == pod.Key) ? fault : StoreFault.None);
        Assert.Equal(PodReportResult.Retry, (await pod.ReportAsync(pod.End("u1", 2))).Result);
        Cluster.Store.Heal();
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.End("u1", 2))).Result);
        var marked = await StoredAsync(pod);
        Assert.True(marked.IsDeleting);
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.End("u1", 3))).Result); // the node repeats itself
        Assert.Equal(marked.ResourceVersion, (await StoredAsync(pod)).ResourceVersion);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_name_of_a_held_Pod_is_free_only_when_its_object_is_gone()
    {
        var pod = await PodAsync();
        await HoldAsync(pod);
        await pod.ReportAsync(pod.End("u1", 2));
        var refused = await pod.ReportAsync(pod.Alive("u2", 3));
        Assert.Equal(PodReportResult.Conflict, refused.Result);
        Assert.Contains("stays until its finalizers are gone", refused.Message, StringComparison.Ordinal);
        await ReleaseAsync(pod);
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u2", 4))).Result);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_deletion_of_a_held_Pod_waits_for_its_node_and_for_its_finalizers_in_either_order()
    {
        var pod = await PodAsync();
        await HoldAsync(pod);
        Assert.Equal(ObjectResult.DeletionStarted, (await pod.Grain.Write(Some.Delete(), Stop)).Result);
        Assert.False(PodDocument.IsTerminal((await StoredAsync(pod)).Document)); // it is drained first
        await ReleaseAsync(pod);
        Assert.True((await StoredAsync(pod)).IsDeleting); // still its node's
        await pod.ReportAsync(pod.End("u1", 2));
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_held_manifest_Pod_is_marked_and_goes_with_the_last_of_its_finalizers()
    {
        var pod = new ReportedPod(Cluster, NamespacedName.Of(await Cluster.NamespaceAsync(), "web"), Stop);
        var document = $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"{{{pod.Name.Namespace}}}","finalizers":["example.com/hold"]},"spec":{"containers":[{"name":"web","image":"x"}]}}""";
        await pod.Grain.Write(Some.Create(document), Stop);
        Assert.Equal(ObjectResult.DeletionStarted, (await pod.Grain.Write(Some.Delete(), Stop)).Result);
        Assert.True((await StoredAsync(pod)).IsDeleting);
        Assert.Equal(ObjectResult.Committed, (await ReleaseAsync(pod)).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    private async Task<ReportedPod> PodAsync()
    {
        var pod = new ReportedPod(Cluster, NamespacedName.Of(await Cluster.NamespaceAsync(), "web"), Stop);
        await pod.ReportAsync(pod.Alive("u1", 1));
        return pod;
    }

    private Task<ObjectReply> HoldAsync(ReportedPod pod) => WriteAsync(pod, "example.com/hold");

    private Task<ObjectReply> ReleaseAsync(ReportedPod pod) => WriteAsync(pod);

    private async Task<ObjectReply> WriteAsync(ReportedPod pod, params string[] finalizers)
    {
        var document = JsonNode.Parse((await StoredAsync(pod)).Document.Span)!;
        document["metadata"]!["finalizers"] = new JsonArray([.. finalizers.Select(finalizer => (JsonNode)finalizer)]);
        return await pod.Grain.Write(new ObjectRequest(ObjectVerb.Update, Encoding.UTF8.GetBytes(document.ToJsonString()), 0, "", false), Stop);
    }

    private async Task<StoredObject> StoredAsync(ReportedPod pod)
    {
        var stored = await Cluster.Store.ReadAsync(pod.Key, Stop);
        Assert.NotNull(stored);
        return stored;
    }
}
