using System.Text;
using Mesh.Core.Names;
using Mesh.Storage;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What is shown of a Service's endpoints is what gets traffic: none, when it selects no Pods.</summary>
public sealed class ServiceWithoutSelectorTests(GrainHost host) : IClassFixture<GrainHost>
{
    [Theory(Timeout = 60_000)]
    [Trait("Row", "SVC-S4")]
    [Trait("Row", "SVC-S6")]
    [InlineData("application/json-patch+json", """[{"op":"remove","path":"/spec/selector"}]""")]
    [InlineData("application/json-patch+json", """[{"op":"replace","path":"/spec/selector","value":{}}]""")]
    [InlineData("application/merge-patch+json", """{"spec":{"type":"ExternalName","externalName":"a.example.com"}}""")]
    public async Task Slices_and_Endpoints_go_with_the_selector_and_come_back_with_it(string type, string patch)
    {
        var ns = await host.Http.NewNamespaceAsync();
        var service = $"/api/v1/namespaces/{ns}/services/web";
        await host.Http.SendAsync("POST", $"/api/v1/namespaces/{ns}/services", """{"metadata":{"name":"web"},"spec":{"selector":{"app":"app"},"ports":[{"port":80}]}}""");
        await host.RegisterAsync(ns, $"pod-of-{ns}");
        await UntilShownAsync(ns, isShown: true);
        var others = await PutOthersAsync(ns);

        var without = await host.Http.SendAsync("PATCH", service, patch, type);

        Assert.True(without.Code == 200, without.Message);
        await UntilShownAsync(ns, isShown: false);
        Assert.NotNull(await host.Store.ReadAsync(others, TestContext.Current.CancellationToken));

        await host.Http.SendAsync("PATCH", service, """{"spec":{"type":"ClusterIP","externalName":null,"selector":{"app":"app"}}}""", "application/merge-patch+json");
        await UntilShownAsync(ns, isShown: true);
    }

    /// <summary>A slice that somebody else keeps for the Service.</summary>
    private async Task<ObjectKey> PutOthersAsync(string ns)
    {
        var key = Kinds.EndpointSlice(NamespacedName.Of(ns, "web-others"));
        var document = $$"""{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"web-others","namespace":"{{ns}}","uid":"u-{{ns}}","labels":{"kubernetes.io/service-name":"web"} },"addressType":"IPv4","endpoints":[],"ports":[]}""";
        await host.Store.CommitAsync([new Write.Put(key, Encoding.UTF8.GetBytes(document), Precondition.Absence)], CommitClass.Request, TestContext.Current.CancellationToken);
        return key;
    }

    private async Task UntilShownAsync(string ns, bool isShown)
    {
        var pod = $"pod-of-{ns}";
        using var watch = await Watching.StartAsync(host, $"/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices?watch=true");
        using var endpoints = await Watching.StartAsync(host, $"/api/v1/namespaces/{ns}/endpoints?watch=true");
        while (await ShowsAsync($"/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", pod) != isShown)
        {
            await watch.NextAsync();
        }

        while (await ShowsAsync($"/api/v1/namespaces/{ns}/endpoints", pod) != isShown)
        {
            await endpoints.NextAsync();
        }
    }

    private async Task<bool> ShowsAsync(string path, string pod) =>
        (await host.Http.GetStringAsync(path, TestContext.Current.CancellationToken)).Contains(pod, StringComparison.Ordinal);
}
