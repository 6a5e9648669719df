using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Projections;
using Mesh.Grains.Services;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Mesh.Testing.Time;
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

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-E15")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_service_that_is_being_deleted_gets_no_new_slices(bool isDeleting)
    {
        var cluster = shared.Cluster;
        var name = NamespacedName.Of(await cluster.NamespaceAsync(), "web");
        var document = Encoding.UTF8.GetBytes(Some.Service(name));
        var service = ServiceParser.Parse(document, 1);
        var mirrored = new Mirrored(
            service, new StoredObject(Kinds.Service(name), "uid-web", 1, 1, isDeleting, document), [EndpointSource.RowOf(service, Some.Row("a", 1, 1))]);
        var projection = new EndpointProjection(cluster.Store, cluster.Cache(), TestClock.Machine, new Random(1), () => mirrored);
        Assert.Equal(!isDeleting, await projection.DiffersAsync(Stop));
        var written = 0;
        cluster.Store.Choose((writes, _) =>
        {
            written += writes.Count(write => write.Key.Namespace == name.Namespace && write.Key.Kind == "EndpointSlice");
            return StoreFault.None;
        });
        await projection.WriteAsync(Stop);
        cluster.Store.Heal();
        Assert.Equal(isDeleting ? 0 : 1, written); // tried, and dropped by the store, which has no such Service
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
