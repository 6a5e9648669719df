using System.Text;
using Mesh.Core.Names;
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
