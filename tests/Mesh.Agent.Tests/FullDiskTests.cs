using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>A journal that takes nothing: what is asked for is refused, and what was answered before stays true.</summary>
public sealed class FullDiskTests
{
    private static readonly HttpClient Http = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_patch_that_the_disk_does_not_take_is_refused_and_changes_nothing()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"v":"1"}}""");
        await curl.LineAsync(Stop);
        var told = await agent.RoutedAsync(pod => pod.IsReady, Stop);
        agent.IsDiskFull = true;

        var (code, message) = await PatchAsync(agent, """{"ready":false,"labels":{"v":"2"}}""");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Contains("could not be written to the node's journal: No space left", message, StringComparison.Ordinal);
        Assert.False(agent.Routed.Reader.TryRead(out _));
        Assert.Equal(("1", "True"), await ShownAsync(agent));
        Assert.Equal(told.Liveness, Assert.Single(agent.Agent.Inventory("").Pods).Liveness);

        agent.IsDiskFull = false;
        Assert.Equal(HttpStatusCode.OK, (await PatchAsync(agent, """{"labels":{"v":"3"}}""")).Code);
        Assert.Equal(("3", "True"), await ShownAsync(agent));
        Assert.Equal(2, agent.Journal[told.Uid].Version);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_stream_that_asks_for_what_the_disk_does_not_take_is_refused_and_the_first_one_goes_on()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var first = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"v":"1"}}""");
        var uid = RegistrationTests.Uid(await first.LineAsync(Stop));
        await agent.RoutedAsync(pod => pod.IsReady, Stop);
        agent.IsDiskFull = true;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PutAsync(agent, $"web?uid={uid}", """{"ready":false,"labels":{"v":"2"}}"""));

        Assert.False(agent.Routed.Reader.TryRead(out _));
        Assert.Equal(("1", "True"), await ShownAsync(agent));
        agent.IsDiskFull = false;
        await PatchAsync(agent, """{"labels":{"v":"3"}}""");
        var line = await first.LineAsync(Stop);
        Assert.Equal("3", line.GetProperty("object").GetProperty("metadata").GetProperty("labels").GetProperty("v").GetString());
        first.Kill();
        Assert.Equal(uid, (await agent.RoutedAsync(pod => !pod.IsAlive, Stop)).Uid);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registration_that_the_disk_does_not_take_is_told_to_nobody_and_leaves_name_and_address_free()
    {
        var options = AgentUnderTest.Options with { PodCidr = "127.80.0.0/30" }; // two addresses
        await using var agent = await AgentUnderTest.StartAsync(Stop, options: options);
        agent.IsDiskFull = true;
        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await PutAsync(agent, "web", """{"address":"allocate"}"""));
        }

        Assert.False(agent.Routed.Reader.TryRead(out _));
        Assert.False(agent.Reports.Reader.TryRead(out _));
        Assert.Empty(agent.Agent.Inventory("").Pods);

        agent.IsDiskFull = false;
        using var web = Curl.Put(agent.Url, "web", """{"address":"allocate"}""");
        using var next = Curl.Put(agent.Url, "next", """{"address":"allocate"}""");
        Assert.Equal("ADDED", (await web.LineAsync(Stop)).GetProperty("type").GetString());
        Assert.Equal("ADDED", (await next.LineAsync(Stop)).GetProperty("type").GetString());
    }

    private static async Task<(HttpStatusCode Code, string Message)> PatchAsync(AgentUnderTest agent, string patch)
    {
        using var answer = await Http.PatchAsync(new Uri(agent.Url, "/v1/namespaces/default/pods/web"), new StringContent(patch), Stop);
        var document = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);
        return (answer.StatusCode, document.TryGetProperty("message", out var message) ? message.GetString()! : "");
    }

    private static async Task<(string Label, string Ready)> ShownAsync(AgentUnderTest agent)
    {
        var pod = await Http.GetFromJsonAsync<JsonElement>(new Uri(agent.Url, "/v1/namespaces/default/pods/web"), Stop);
        return (
            pod.GetProperty("metadata").GetProperty("labels").GetProperty("v").GetString()!,
            pod.GetProperty("status").GetProperty("conditions")[0].GetProperty("status").GetString()!);
    }

    private static async Task<HttpStatusCode> PutAsync(AgentUnderTest agent, string nameAndQuery, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(agent.Url, "/v1/namespaces/default/pods/" + nameAndQuery)) { Content = new StringContent(body) };
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        return answer.StatusCode;
    }
}
