using System.Net;
using System.Text.Json;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>A registration says which of its keys it names anew, so that what kubectl changed of the others stays.</summary>
public sealed class NamedKeysTests
{
    private static readonly HttpClient Http = new();

    [Fact(Timeout = 30_000)]
    public async Task A_patch_is_reported_with_the_keys_that_it_names_and_shown_with_what_kubectl_changed()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"app":"web","track":"stable","tier":"a"}}""");
        var uid = RegistrationTests.Uid(await curl.LineAsync(stop));
        await agent.Agent.ApplyAsync(RegistrationTests.Stored(uid, "web", 7, """ "labels":{"track":"canary","tier":"a"},"""));
        await curl.LineAsync(stop);

        await PatchAsync(agent, """{"ready":false}""", stop);
        var line = await curl.LineAsync(stop);
        Assert.Equal("""{"tier":"a","track":"canary"}""", Labels(line));
        Assert.Empty((await agent.ReportAsync(told => told.RegistrationVersion == 2, stop)).Named.Labels);

        await PatchAsync(agent, """{"labels":{"track":"stable","tier":null,"new":"x"},"annotations":{"note":"n"}}""", stop);
        Assert.Equal("""{"new":"x","track":"stable"}""", Labels(await curl.LineAsync(stop)));
        var named = (await agent.ReportAsync(told => told.RegistrationVersion == 3, stop)).Named;
        Assert.Equal("new=3,track=3", Text(named.Labels));
        Assert.Equal("note=3", Text(named.Annotations));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_take_over_names_what_it_gives_another_value_and_the_journal_keeps_what_was_named_before()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var first = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"app":"web","track":"stable"}}""");
        var uid = RegistrationTests.Uid(await first.LineAsync(stop));
        await PatchAsync(agent, """{"labels":{"app":"shop"}}""", stop);
        await agent.ReportAsync(told => told.RegistrationVersion == 2, stop);

        await using var next = await AgentUnderTest.StartAsync(stop, journal: [.. agent.Journal.Values], identity: new AgentIdentity(2, "boot"));
        Assert.Equal("app=2", Text((await next.ReportAsync(told => told.Uid == uid, stop)).Named.Labels));
        using var second = Curl.Put(next.Url, "web", """{"ready":true,"labels":{"app":"shop","track":"stable","new":"x"}}""", "?uid=" + uid);

        var named = (await next.ReportAsync(told => told.RegistrationVersion == 3, stop)).Named.Labels;
        Assert.Equal("app=2,new=3", Text(named));
    }

    [Fact(Timeout = 30_000)]
    public async Task Of_a_journal_that_counted_no_keys_all_are_named_by_its_version()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"app":"web"}}""");
        var uid = RegistrationTests.Uid(await curl.LineAsync(stop));
        await PatchAsync(agent, """{"ready":false}""", stop);
        agent.Journal[uid].Named = null;

        await using var next = await AgentUnderTest.StartAsync(stop, journal: [.. agent.Journal.Values], identity: new AgentIdentity(2, "boot"));

        Assert.Equal("app=2", Text((await next.ReportAsync(told => told.Uid == uid, stop)).Named.Labels));
    }

    private static string Text(IEnumerable<KeyValuePair<string, long>> named) =>
        string.Join(',', named.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    private static string Labels(JsonElement line) => line.GetProperty("object").GetProperty("metadata").GetProperty("labels").GetRawText();

    private static async Task PatchAsync(AgentUnderTest agent, string body, CancellationToken stop)
    {
        using var answer = await Http.PatchAsync(new Uri(agent.Url, "/v1/namespaces/default/pods/web"), new StringContent(body), stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
