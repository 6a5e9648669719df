using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class KubectlNamespaceTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-G1")]
    [Trait("Row", "SVC-G5")]
    public async Task A_namespace_is_applied_listed_labelled_and_deleted()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        const string Manifest = """
            apiVersion: v1
            kind: Namespace
            metadata:
              name: shop
            """;

        Assert.Equal("namespace/shop created\n", await kubectl.RunAsync("apply -f -", Manifest));
        Assert.Equal("namespace/shop unchanged\n", await kubectl.RunAsync("apply -f -", Manifest));
        Assert.Equal("namespace/shop labeled\n", await kubectl.RunAsync("label ns shop team=blue"));
        Assert.Equal("namespace/shop annotated\n", await kubectl.RunAsync("annotate ns shop note=hello"));
        Assert.Equal("namespace/shop\n", await kubectl.RunAsync("get ns -l team=blue -o name"));
        Assert.Equal("Active", await kubectl.RunAsync("get ns shop -o jsonpath={.status.phase}"));
        Assert.Contains("namespace \"shop\" deleted", await kubectl.RunAsync("delete ns shop --wait=false"), StringComparison.Ordinal);
        Assert.Equal("Terminating", await kubectl.RunAsync("get ns shop -o jsonpath={.status.phase}"));
    }
}
