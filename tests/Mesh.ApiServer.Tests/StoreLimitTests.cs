using System.Text;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Writing;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What the store would not take is refused, and nothing changes.</summary>
public sealed class StoreLimitTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Services = "/api/v1/namespaces/default/services";

    // Kubernetes does not limit how many ports a Service has, only their names are its rule.
    private static readonly string ManyPorts = string.Join(
        ",", Enumerable.Range(1, 20_000).Select(port => $$"""{"port":{{port}},"name":"a-name-as-long-as-names-of-ports-may-be-{{port}}"}"""));

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A02")]
    public async Task An_object_larger_than_the_store_takes_is_413()
    {
        var answer = await host.Http.SendAsync("POST", Services, $$"""{"metadata":{"name":"large"},"spec":{"ports":[{{ManyPorts}}]} }""");

        Assert.Equal((413, "RequestEntityTooLarge"), (answer.Code, answer.Reason));
        Assert.Contains("1572864 is the limit", answer.Message, StringComparison.Ordinal);
        Assert.Equal(404, (await host.Http.SendAsync("GET", $"{Services}/large")).Code);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "REL-A02")]
    public async Task A_patch_that_makes_an_object_too_large_is_413_and_changes_nothing()
    {
        var before = await host.Http.SendAsync("POST", Services, """{"metadata":{"name":"grows"},"spec":{"ports":[{"port":80}]}}""");

        var answer = await host.Http.SendAsync(
            "PATCH", $"{Services}/grows", $$"""{"spec":{"ports":[{{ManyPorts}}]} }""", "application/merge-patch+json");

        Assert.Equal((201, 413), (before.Code, answer.Code));
        Assert.Equal(before.Body!.ToJsonString(), (await host.Http.SendAsync("GET", $"{Services}/grows")).Body!.ToJsonString());
    }

    /// <summary>Admission lets neither through; should it ever, the client is told and nothing is thrown.</summary>
    [Theory(Timeout = 30_000)]
    [InlineData(ObjectVerb.Create)]
    [InlineData(ObjectVerb.Update)]
    public async Task What_the_store_refuses_is_an_invalid_object(ObjectVerb verb)
    {
        var writer = host.Services.GetRequiredService<StoreWriter>();
        var kind = host.Services.GetRequiredService<ResourceCatalog>().Namespaces;
        var request = new ObjectRequest(verb, Encoding.UTF8.GetBytes("[]"), 0, "", DryRun: false);

        var reply = await writer.WriteAsync(kind, kind.Key("", "odd"), request, TestContext.Current.CancellationToken);

        Assert.Equal(ObjectResult.Invalid, reply.Result);
        Assert.NotEqual("", reply.Message);
        Assert.Null(await host.Store.ReadAsync(kind.Key("", "odd"), TestContext.Current.CancellationToken));
    }
}
