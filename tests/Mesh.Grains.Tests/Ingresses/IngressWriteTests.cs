using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Xunit;

namespace Mesh.Grains.Tests.Ingresses;

[Collection(ClusterGroup.Name)]
public class IngressWriteTests(SharedCluster shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task An_Ingress_with_finalizers_is_marked_and_goes_with_the_last_of_them()
    {
        var cluster = shared.Cluster;
        var name = NamespacedName.Of(await cluster.NamespaceAsync(), "shop");
        var grain = cluster.Client.GetGrain<IIngressGrain>(name.ToString());
        Assert.Equal(ObjectResult.Committed, (await grain.Write(Some.Create(Document(name, "\"example.com/hold\"")), Stop)).Result);
        for (var again = 0; again < 2; again++)
        {
            var marked = await grain.Write(Some.Delete(), Stop);
            Assert.Equal(ObjectResult.DeletionStarted, marked.Result);
            Assert.NotEqual("", marked.Text("metadata", "deletionTimestamp"));
        }

        Assert.True((await cluster.Store.ReadAsync(Kinds.Ingress(name), Stop))!.IsDeleting);
        Assert.Equal(ObjectResult.Committed, (await grain.Write(Some.Update(Document(name, "")), Stop)).Result);
        Assert.Null(await cluster.Store.ReadAsync(Kinds.Ingress(name), Stop));
    }

    private static string Document(NamespacedName name, string finalizers) => $$$"""
        {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"{{{name.Name}}}","namespace":"{{{name.Namespace}}}","finalizers":[{{{finalizers}}}]},
        "spec":{"defaultBackend":{"service":{"name":"web","port":{"number":80} } } } }
        """;
}
