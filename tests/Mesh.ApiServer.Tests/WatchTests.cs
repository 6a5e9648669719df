using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class WatchTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Namespaces = "/api/v1/namespaces";

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W4")]
    [Trait("Row", "SVC-W5")]
    [Trait("Row", "SVC-W9")]
    public async Task A_watch_by_label_tells_who_enters_changes_and_leaves()
    {
        var before = await host.Http.SendAsync("GET", Namespaces);
        var version = before.Body!["metadata"]!["resourceVersion"]!.GetValue<string>();
        using var watch = await Watching.StartAsync(host, $"{Namespaces}?watch=true&resourceVersion={version}&labelSelector=team%3Dblue");

        var name = await host.Http.NewNamespaceAsync(); // never matches yet
        await LabelAsync(name, "\"blue\"");
        Assert.Equal(("ADDED", name), await watch.NextAsync());
        await host.Http.SendAsync("PATCH", $"{Namespaces}/{name}", """{"metadata":{"annotations":{"a":"b"}}}""", "application/merge-patch+json");
        Assert.Equal(("MODIFIED", name), await watch.NextAsync());
        await LabelAsync(name, "null");
        Assert.Equal(("DELETED", name), await watch.NextAsync());
        Assert.Equal("blue", watch.Last!["metadata"]!["labels"]!["team"]!.GetValue<string>());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W9")]
    [Trait("Row", "SVC-W12")]
    public async Task A_watch_by_field_tells_who_enters_and_leaves()
    {
        var services = $"/api/v1/namespaces/{await host.Http.NewNamespaceAsync()}/services";
        using var watch = await Watching.StartAsync(host, $"{services}?watch=true&fieldSelector=spec.type%3DNodePort");

        await host.Http.SendAsync("POST", services, """{"metadata":{"name":"a"},"spec":{"ports":[{"port":80}]}}"""); // never matches yet
        await PatchAsync("""{"spec":{"type":"NodePort"}}""");
        Assert.Equal(("ADDED", "a"), await watch.NextAsync());
        await PatchAsync("""{"spec":{"type":"ClusterIP","externalTrafficPolicy":null}}""");
        Assert.Equal(("DELETED", "a"), await watch.NextAsync());
        Assert.Equal("NodePort", watch.Last!["spec"]!["type"]!.GetValue<string>());

        async Task PatchAsync(string patch) =>
            Assert.Equal(200, (await host.Http.SendAsync("PATCH", $"{services}/a", patch, "application/merge-patch+json")).Code);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W10")]
    public async Task A_single_object_is_watched_by_its_name()
    {
        var name = await host.Http.NewNamespaceAsync();
        using var watch = await Watching.StartAsync(host, $"{Namespaces}?watch=true&fieldSelector=metadata.name%3D{name}");
        using var byUrl = await Watching.StartAsync(host, $"{Namespaces}/{name}?watch=true");

        Assert.Equal(("ADDED", name), await watch.NextAsync());
        Assert.Equal(("ADDED", name), await byUrl.NextAsync());
        await host.Http.SendAsync("DELETE", $"{Namespaces}/{name}");
        Assert.Equal(("MODIFIED", name), await watch.NextAsync());
        Assert.Equal("Terminating", watch.Last!["status"]!["phase"]!.GetValue<string>());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W7")]
    [Trait("Row", "REL-A43")]
    public async Task A_watch_ends_when_its_time_is_over_with_a_bookmark_when_asked_for()
    {
        using var asked = await Watching.StartAsync(host, $"{Namespaces}?watch=true&resourceVersion=4&timeoutSeconds=1&allowWatchBookmarks=true");
        using var silent = await Watching.StartAsync(host, $"{Namespaces}?watch=true&resourceVersion=4&timeoutSeconds=1");

        Assert.Equal("BOOKMARK", (await asked.TypesToEndAsync()).Last());
        Assert.DoesNotContain("BOOKMARK", await silent.TypesToEndAsync());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W8")]
    public async Task Initial_events_end_with_their_bookmark()
    {
        using var watch = await Watching.StartAsync(
            host, $"{Namespaces}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");

        var types = new List<string>();
        do
        {
            types.Add((await watch.NextAsync()).Type);
        }
        while (types[^1] == "ADDED");
        Assert.Equal("BOOKMARK", types[^1]);
        Assert.True(types.Count > 4);
        Assert.Equal("true", watch.Last!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!.GetValue<string>());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W3")]
    [Trait("Row", "REL-A34")]
    public async Task A_version_that_is_not_there_yet_is_504_after_a_while()
    {
        var answer = await host.Http.SendAsync("GET", $"{Namespaces}?resourceVersion=999999");

        Assert.Equal((504, "Timeout"), (answer.Code, answer.Reason));
        Assert.Equal(["ResourceVersionTooLarge "], answer.Causes.Select(cause => cause.Replace("null", "", StringComparison.Ordinal)));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W1")]
    [Trait("Row", "SVC-W2")]
    [Trait("Row", "REL-A39")]
    public async Task Pages_together_are_one_moment()
    {
        var first = await host.Http.SendAsync("GET", $"{Namespaces}?limit=2");
        var token = first.Body!["metadata"]!["continue"]!.GetValue<string>();
        var late = await host.Http.NewNamespaceAsync();

        var names = first.Body["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.GetValue<string>()).ToList();
        var version = first.Body["metadata"]!["resourceVersion"]!.GetValue<string>();
        while (token.Length > 0)
        {
            var next = await host.Http.SendAsync("GET", $"{Namespaces}?limit=2&continue={token}");
            Assert.Equal(version, next.Body!["metadata"]!["resourceVersion"]!.GetValue<string>());
            names.AddRange(next.Body["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.GetValue<string>()));
            token = next.Body["metadata"]!["continue"]?.GetValue<string>() ?? "";
        }

        Assert.DoesNotContain(late, names);
        Assert.Contains("kube-system", names);
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Equal(410, (await host.Http.SendAsync("GET", $"/api/v1/services?limit=2&continue={first.Body["metadata"]!["continue"]}")).Code);
    }

    private async Task LabelAsync(string name, string value) => Assert.Equal(200, (await host.Http.SendAsync(
        "PATCH",
        $"{Namespaces}/{name}",
        """{"metadata":{"labels":{"team":VALUE}}}""".Replace("VALUE", value, StringComparison.Ordinal),
        "application/merge-patch+json")).Code);
}
