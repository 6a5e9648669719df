using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Testing;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>An Ingress that is served, then not to be, then again: by what its writer asks of who may come in, and by its class.</summary>
public sealed class NotRoutedIngressTests
{
    private const string Ingress = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/web";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task What_is_not_enforced_or_of_another_class_is_answered_as_if_it_was_not_there_and_its_Event_says_why()
    {
        await using var served = await ServedMachine.StartAsync();
        using var api = served.Machine.Api();
        using var client = served.Ingress();

        await PatchAsync(api, """{"metadata":{"annotations":{"nginx.ingress.kubernetes.io/auth-type":"basic"}}}""");
        await AnsweredAsync(client, HttpStatusCode.NotFound);
        Assert.Contains("mesh.internal/route-unprotected=true", await SomeService.ToldAsync(api, "web", "AccessNotEnforced", Soon), StringComparison.Ordinal);
        await AddressesAsync(api, 0);

        await PatchAsync(api, """{"metadata":{"annotations":{"mesh.internal/route-unprotected":"true"}}}""");
        await AnsweredAsync(client, HttpStatusCode.OK);
        await AddressesAsync(api, 1);

        await PatchAsync(api, """{"metadata":{"annotations":null},"spec":{"ingressClassName":"nginx"}}""");
        await AnsweredAsync(client, HttpStatusCode.NotFound);
        Assert.Contains("it is of class nginx", await SomeService.ToldAsync(api, "web", "OtherClass", Soon), StringComparison.Ordinal);

        await PatchAsync(api, """{"spec":{"ingressClassName":"mesh"}}""");
        await AnsweredAsync(client, HttpStatusCode.OK);
    }

    private static Task AnsweredAsync(HttpClient client, HttpStatusCode code) =>
        Eventually.Is("the Ingress answers", async stop => (await client.GetAsync("/", stop)).StatusCode, code, Soon);

    private static Task AddressesAsync(HttpClient api, int count) => Eventually.Is(
        "the Ingress shows addresses",
        async stop =>
        {
            using var ingress = JsonDocument.Parse(await api.GetStringAsync(Ingress, stop));
            return ingress.RootElement.GetProperty("status").GetProperty("loadBalancer").TryGetProperty("ingress", out var shown) ? Math.Min(1, shown.GetArrayLength()) : 0;
        },
        count,
        Soon);

    private static async Task PatchAsync(HttpClient api, string patch)
    {
        using var content = new StringContent(patch, Encoding.UTF8, "application/merge-patch+json");
        using var patched = await api.PatchAsync(Ingress, content, Stop);
        Assert.True(patched.IsSuccessStatusCode, await patched.Content.ReadAsStringAsync(Stop));
    }
}
