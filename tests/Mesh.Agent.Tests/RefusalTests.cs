using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>Every way to be refused: its code, a sentence that helps, and nothing changed.</summary>
public sealed class RefusalTests
{
    private static readonly HttpClient Http = new();
    private static readonly string TooLarge = "{\"labels\":{\"a\":\"" + new string('x', 70_000) + "\"}}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData("PUT", "Upper", "{}", 400, "name: 'Upper' is not a DNS subdomain")]
    [InlineData("PUT", "web?ttl=10", "{}", 400, "ttl: not in this version")]
    [InlineData("PATCH", "held", """{"ready":1}""", 400, "ready")]
    [InlineData("PATCH", "held", """{"ports":[]}""", 400, "ports")]
    [InlineData("GET", "nobody", null, 404, "Pod default/nobody is not registered on this machine.")]
    [InlineData("PATCH", "nobody", "{}", 404, "Pod default/nobody is not registered on this machine.")]
    [InlineData("DELETE", "nobody", null, 404, "Pod default/nobody is not registered on this machine.")]
    [InlineData("PUT", "web/more", "{}", 404, "Pods are at /v1/namespaces/NAMESPACE/pods/NAME")]
    [InlineData("PUT", "held", "{}", 409, "'?uid=' with that uid takes its stream over")]
    [InlineData("PUT", "held?uid=other", "{}", 409, "is registered on this machine with uid")]
    [InlineData("PATCH", "held?uid=other", "{}", 409, "not other")]
    [InlineData("DELETE", "held?uid=other", null, 409, "not other")]
    [InlineData("PUT", "web", "large", 413, "larger than 65536 bytes")]
    [InlineData("PATCH", "held", "large", 413, "larger than 65536 bytes")]
    public async Task A_refused_request_has_its_code_and_a_sentence_and_changes_nothing(string method, string nameAndQuery, string? body, int code, string sentence)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var held = Curl.Put(agent.Url, "held", """{"ready":true}""");
        await held.LineAsync(Stop);
        await agent.RoutedAsync(told => told.IsReady, Stop);
        await agent.ReportAsync(told => told.Ready, Stop);

        var (answered, message, _) = await AskAsync(agent, method, nameAndQuery, body == "large" ? TooLarge : body);

        Assert.Equal(code, answered);
        Assert.Contains(sentence, message, StringComparison.Ordinal);
        Assert.False(agent.Routed.Reader.TryRead(out _));
        Assert.False(agent.Reports.Reader.TryRead(out _));
        Assert.Equal("held", Assert.Single(agent.Agent.Inventory("").Pods).Name);
        Assert.Equal(1, Assert.Single(agent.Journal).Value.Version);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("POST", "web", "GET, PUT, PATCH, DELETE")]
    [InlineData("DELETE", "", "GET")]
    [InlineData("POST", "../../../../readyz", "GET, HEAD")]
    public async Task A_method_that_is_not_for_that_is_told_which_are(string method, string path, string allowed)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);

        var (code, message, allow) = await AskAsync(agent, method, path, "{}");

        Assert.Equal((405, allowed), (code, allow));
        Assert.StartsWith(method, message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_body_of_unknown_length_may_be_no_larger()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(agent.Url, "/v1/namespaces/default/pods/web")) { Content = new StringContent(TooLarge) };
        request.Headers.TransferEncodingChunked = true;

        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Empty(agent.Journal);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registration_does_not_outgrow_the_limit_patch_by_patch()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var held = Curl.Put(agent.Url, "held", "{}");
        await held.LineAsync(Stop);

        var codes = new List<int>();
        for (var patch = 0; patch < 5; patch++)
        {
            codes.Add((await AskAsync(agent, "PATCH", "held", $$"""{"annotations":{"a{{patch}}":"{{new string('x', 20_000)}}"} }""")).Code);
        }

        Assert.Equal([200, 200, 200, 413, 413], codes);
        Assert.Equal(200, (await AskAsync(agent, "PATCH", "held", """{"ready":false,"annotations":{"a0":null}}""")).Code);
    }

    private static async Task<(int Code, string Message, string Allow)> AskAsync(AgentUnderTest agent, string method, string nameAndQuery, string? body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Parse(method), new Uri(agent.Url, "/v1/namespaces/default/pods/" + nameAndQuery));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8);
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        var document = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);
        return (
            (int)answer.StatusCode,
            document.TryGetProperty("message", out var message) ? message.GetString()! : "",
            string.Join(", ", answer.Content.Headers.Allow));
    }
}
