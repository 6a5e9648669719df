using Mesh.ApiServer.Requests;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What time and a short log do to watches.</summary>
public sealed class WatchClockTests(ClockedHost host) : IClassFixture<ClockedHost>
{
    private const string Namespaces = "/api/v1/namespaces";

    private static readonly string Large = new('x', 250_000);

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W7")]
    [Trait("Row", "REL-A35")]
    public async Task An_idle_watch_gets_a_bookmark_every_minute()
    {
        using var watch = await Watching.StartAsync(host, $"{Namespaces}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dnobody&allowWatchBookmarks=true");
        for (var minute = 0; minute < 2; minute++)
        {
            await host.Clock.WatchWaitsAsync();
            host.Clock.Advance(WatchVerb.BookmarkEvery);

            Assert.Equal(("BOOKMARK", null), await watch.NextAsync());
            Assert.Equal(["kind", "apiVersion", "metadata"], watch.Last!.AsObject().Select(field => field.Key));
            Assert.NotEqual("0", watch.Last["metadata"]!["resourceVersion"]!.GetValue<string>());
        }

        await host.Clock.WatchWaitsAsync();
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W4")]
    public async Task A_watch_without_a_timeout_ends_within_the_hour()
    {
        using var watch = await Watching.StartAsync(host, $"{Namespaces}?watch=true&fieldSelector=metadata.name%3Dnobody");
        await host.Clock.WatchWaitsAsync();

        host.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Empty(await watch.TypesToEndAsync());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W6")]
    [Trait("Row", "REL-A33")]
    public async Task A_version_from_before_the_log_is_410_before_anything_is_streamed()
    {
        var before = await host.Http.SendAsync("GET", Namespaces);
        var version = before.Body!["metadata"]!["resourceVersion"]!.GetValue<string>();
        await ChangeAsync(await host.Http.NewNamespaceAsync(), 12, "small");

        var answer = await host.Http.SendAsync("GET", $"{Namespaces}?watch=true&resourceVersion={version}");

        Assert.Equal((410, "Expired"), (answer.Code, answer.Reason));
        Assert.StartsWith($"too old resource version: {version} (", answer.Message, StringComparison.Ordinal);
        Assert.Equal(200, (await host.Http.SendAsync("GET", Namespaces)).Code); // what a client does next
    }

    /// <summary>Its connection is full, so that the log goes on without it. Nobody else waits for it.</summary>
    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W6")]
    [Trait("Row", "REL-A36")]
    public async Task A_reader_that_falls_behind_the_log_is_told_410_and_ended()
    {
        var name = await host.Http.NewNamespaceAsync();
        using var slow = await Watching.StartAsync(host, $"{Namespaces}/{name}?watch=true");
        using var quick = await Watching.StartAsync(host, $"{Namespaces}/{name}?watch=true");
        Assert.Equal(("ADDED", name), await quick.NextAsync());

        for (var change = 0; change < 80; change++)
        {
            await ChangeAsync(name, 1, Large);
            Assert.Equal(("MODIFIED", name), await quick.NextAsync());
        }

        var types = await slow.TypesToEndAsync();
        Assert.Equal("ERROR", types[^1]);
        Assert.True(types.Count < 80, $"{types.Count} events");
        Assert.Equal(("Status", "Expired", 410), (
            slow.Last!["kind"]!.GetValue<string>(), slow.Last["reason"]!.GetValue<string>(), slow.Last["code"]!.GetValue<int>()));
    }

    private async Task ChangeAsync(string name, int times, string text)
    {
        for (var change = 0; change < times; change++)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(1));
            var patch = $$"""{"metadata":{"annotations":{"a":"{{host.Clock.GetUtcNow().Ticks}}{{text}}"} } }""";
            Assert.Equal(200, (await host.Http.SendAsync("PATCH", $"{Namespaces}/{name}", patch, "application/merge-patch+json")).Code);
        }
    }
}
