using Mesh.Core.Names;
using Xunit;

namespace Mesh.Grains.Tests.Cluster;

[Collection(ClusterGroup.Name)]
public class ClusterTests(SharedCluster shared)
{
    [Fact(Timeout = 30_000)]
    public async Task Both_silos_follow_one_store_with_caches_of_their_own()
    {
        var cluster = shared.Cluster;
        var stored = await cluster.PutAsync(Kinds.Namespace("seen"), """{"kind":"Namespace","metadata":{"name":"seen"}}""");
        Assert.NotSame(cluster.Cache(0), cluster.Cache(1));
        for (var silo = 0; silo < 2; silo++)
        {
            await cluster.Cache(silo).WaitForAsync(stored.ResourceVersion, TestContext.Current.CancellationToken);
            Assert.NotNull(cluster.Cache(silo).Get(Kinds.Namespace("seen")));
        }
    }
}
