using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Services;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Projections;

[Collection(ClusterGroup.Name)]
public class SliceRepairTests(SharedCluster shared)
{
    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-E12")]
    public async Task A_slice_that_somebody_deleted_is_written_again_and_one_that_was_edited_is_put_right()
    {
        var cluster = shared.Cluster;
        var scene = await EndpointScene.OpenAsync(cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        var first = await UntilAsync(cluster, scene.Service, slice => Shows(slice, "\"name\":\"a\""));
        await cluster.DeleteAsync(first.Key);
        var second = await UntilAsync(cluster, scene.Service, slice => slice.Uid != first.Uid && Shows(slice, "\"name\":\"a\""));
        await cluster.PutAsync(second.Key, Encoding.UTF8.GetString(second.Document.Span).Replace("\"ready\":true", "\"ready\":false", StringComparison.Ordinal));
        await UntilAsync(cluster, scene.Service, slice => slice.ResourceVersion > second.ResourceVersion + 1 && Shows(slice, "\"ready\":true"));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-E15")]
    public async Task A_service_that_is_being_deleted_gets_no_new_slices()
    {
        var cluster = shared.Cluster;
        var scene = await EndpointScene.OpenAsync(cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await UntilAsync(cluster, scene.Service, slice => Shows(slice, "\"name\":\"a\""));
        var held = Some.Service(scene.Service).Replace("\"labels\"", "\"finalizers\":[\"example.com/hold\"],\"labels\"", StringComparison.Ordinal);
        Assert.Equal(ObjectResult.Committed, (await scene.ServiceGrain.Write(Some.Update(held), Stop)).Result);
        Assert.Equal(ObjectResult.DeletionStarted, (await scene.ServiceGrain.Write(Some.Delete(), Stop)).Result);
        Write[] written = [];
        cluster.Store.Choose((writes, _) =>
        {
            written = [.. written, .. writes.Where(write => write.Key.Namespace == scene.Service.Namespace && write.Key.Kind is "EndpointSlice" or "Endpoints")];
            return StoreFault.None;
        });
        foreach (var slice in OwnSlices.Of(cluster.Cache(), scene.Service))
        {
            await cluster.DeleteAsync(slice.Key);
        }

        await scene.Agents[0].RegisterAsync(scene.Pod("b"));
        await scene.UntilAsync("a", "b"); // it is routed as long as it is there
        await scene.ServiceGrain.Reconcile(cluster.Cache().Version, Stop);
        await scene.ServiceGrain.Reconcile(0, Stop); // a turn of the grain later
        cluster.Store.Heal();
        Assert.Empty(written);
        Assert.Empty(OwnSlices.Of(cluster.Cache(), scene.Service));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static bool Shows(StoredObject slice, string text) => Encoding.UTF8.GetString(slice.Document.Span).Contains(text, StringComparison.Ordinal);

    private static async Task<StoredObject> UntilAsync(MeshTestCluster cluster, NamespacedName service, Func<StoredObject, bool> wanted)
    {
        var cache = cluster.Cache();
        using var watch = cache.Watch(key => key.Kind == "EndpointSlice" && key.Namespace == service.Namespace, cache.Version);
        while (true)
        {
            if (OwnSlices.Of(cache, service).FirstOrDefault(wanted) is { } found)
            {
                return found;
            }

            await watch.NextAsync(TestContext.Current.CancellationToken);
        }
    }
}
