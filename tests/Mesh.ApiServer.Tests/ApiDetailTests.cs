using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Small things that clients of the API know and rely on.</summary>
public sealed class ApiDetailTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Services = "/api/v1/namespaces/default/services";

    private const string Spec = "\"spec\":{\"selector\":{\"a\":\"b\"},\"ports\":[{\"port\":80}]}";

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-T5")]
    public async Task An_update_of_a_missing_Service_creates_it_and_of_other_kinds_is_404()
    {
        var created = await host.Http.SendAsync("PUT", $"{Services}/put", $$"""{"metadata":{"name":"put"},{{Spec}} }""");
        var again = await host.Http.SendAsync("PUT", $"{Services}/put", $$"""{"metadata":{"name":"put"},{{Spec}} }""");
        var versioned = await host.Http.SendAsync("PUT", $"{Services}/other", $$"""{"metadata":{"name":"other","resourceVersion":"1"},{{Spec}} }""");
        var pod = await host.Http.SendAsync("PUT", "/api/v1/namespaces/default/pods/put", """{"metadata":{"name":"put"},"spec":{"containers":[{"name":"a"}]}}""");

        Assert.Equal((201, 200, 400, 404), (created.Code, again.Code, versioned.Code, pod.Code));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("""{"metadata":null}""")]
    [InlineData("""{"metadata":{"name":null}}""")]
    [InlineData("""{"metadata":{"name":""}}""")]
    public async Task A_patch_that_takes_the_name_away_is_400_and_changes_nothing(string patch)
    {
        await host.Http.SendAsync("PUT", $"{Services}/named", $$"""{"metadata":{"name":"named","labels":{"a":"b"} },{{Spec}} }""");
        var before = await host.Http.SendAsync("GET", $"{Services}/named");

        var answer = await host.Http.SendAsync("PATCH", $"{Services}/named", patch, "application/merge-patch+json");

        Assert.Equal(
            (400, "the name of the object (named based on URL) was undeterminable: name must be provided"), (answer.Code, answer.Message));
        Assert.Equal(before.Body!.ToJsonString(), (await host.Http.SendAsync("GET", $"{Services}/named")).Body!.ToJsonString());
    }

    [Fact(Timeout = 30_000)]
    public async Task What_remains_is_counted_only_without_selectors()
    {
        var ns = await host.Http.NewNamespaceAsync();
        foreach (var name in new[] { "a", "b", "c" })
        {
            await host.Http.SendAsync("PUT", $"/api/v1/namespaces/{ns}/services/{name}", $$"""{"metadata":{"name":"{{name}}"},{{Spec}} }""");
        }

        var all = await host.Http.SendAsync("GET", $"/api/v1/namespaces/{ns}/services?limit=1");
        var some = await host.Http.SendAsync("GET", $"/api/v1/namespaces/{ns}/services?limit=1&labelSelector=!x");

        Assert.Equal(2, all.Body!["metadata"]!["remainingItemCount"]!.GetValue<int>());
        Assert.NotNull(some.Body!["metadata"]!["continue"]);
        Assert.Null(some.Body["metadata"]!["remainingItemCount"]);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_continued_list_names_no_version_of_its_own()
    {
        var answer = await host.Http.SendAsync("GET", $"{Services}?limit=1&continue=x&resourceVersion=1");

        Assert.Equal((400, "specifying resource version is not allowed when using continue"), (answer.Code, answer.Message));
    }

    [Fact(Timeout = 30_000)]
    public async Task An_object_of_the_future_is_504()
    {
        await host.Http.SendAsync("PUT", $"{Services}/now", $$"""{"metadata":{"name":"now"},{{Spec}} }""");

        var future = await host.Http.SendAsync("GET", $"{Services}/now?resourceVersion=999999999");
        var any = await host.Http.SendAsync("GET", $"{Services}/now?resourceVersion=0");

        Assert.Equal((504, "Timeout", 200), (future.Code, future.Reason, any.Code));
        Assert.Contains("Too large resource version: 999999999", future.Message, StringComparison.Ordinal);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("/api/v1/watch/namespaces/default/services/watched")]
    [InlineData("/api/v1/watch/namespaces/default/services?fieldSelector=metadata.name%3Dwatched")]
    [InlineData("/api/v1/watch/services?fieldSelector=metadata.name%3Dwatched")]
    public async Task The_old_watch_paths_watch(string path)
    {
        await host.Http.SendAsync("PUT", $"{Services}/watched", $$"""{"metadata":{"name":"watched"},{{Spec}} }""");

        using var watch = await Watching.StartAsync(host, path);

        Assert.Equal(("ADDED", "watched"), await watch.NextAsync());
        Assert.Equal(405, (await host.Http.SendAsync("DELETE", "/api/v1/watch/namespaces/default/services/watched")).Code);
        Assert.Equal(404, (await host.Http.SendAsync("GET", "/api/v1/watch/nothing")).Code);
    }
}
