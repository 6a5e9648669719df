using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>A Pod taken out of its Service by its labels stays out, whatever its application says next of its readiness.</summary>
public sealed class RelabelledPodTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_quarantined_Pod_stays_out_through_patches_and_restarts_until_its_application_names_the_label()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        await using var echo = new TcpEcho();
        using var api = machine.Api();
        var body = new { labels = new { app = "web", track = "stable" }, ports = new[] { new { name = "main", containerPort = echo.Port } } };
        await using var first = await RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "web-1", body, Stop);
        await UntilLabelsAsync(api, """{"app":"web","track":"stable"}""");

        // kubectl label pod web-1 app- track=canary --overwrite
        using var labels = new StringContent("""{"metadata":{"labels":{"app":null,"track":"canary"}}}""", Encoding.UTF8, "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.OK, (await api.PatchAsync("/api/v1/namespaces/default/pods/web-1", labels, Stop)).StatusCode);

        await PatchAsync(machine, """{"ready":false}""");
        await PatchAsync(machine, """{"ready":true}""");
        await UntilReadyAsync(api);
        await UntilLabelsAsync(api, """{"track":"canary"}""");

        // The node dies, and the application takes its Pod up again with the same words.
        Signals.Kill(machine.NodePid);
        await first.UntilEndedAsync(Stop);
        await using var again = await Eventually.Meets(
            "the stream is back", stop => RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "web-1", body, stop, first.Uid), _ => true, Soon);
        Assert.Equal(first.Uid, again.Uid);
        await PatchAsync(machine, """{"ready":true,"annotations":{"note":"x"}}""");
        await UntilAsync(api, "the annotation", pod => pod.GetProperty("metadata").GetProperty("annotations").TryGetProperty("note", out _), true);
        await UntilLabelsAsync(api, """{"track":"canary"}""");

        await PatchAsync(machine, """{"labels":{"app":"web","track":null}}""");
        await UntilLabelsAsync(api, """{"app":"web"}""");
    }

    private static async Task PatchAsync(SiloUnderTest machine, string body)
    {
        using var client = new HttpClient { BaseAddress = machine.NodeUrl };
        using var answer = await client.PatchAsync("/v1/namespaces/default/pods/web-1", new StringContent(body), Stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static Task UntilReadyAsync(HttpClient api) => UntilAsync(
        api,
        "the Pod is ready",
        pod => pod.GetProperty("status").GetProperty("conditions").EnumerateArray()
            .Single(condition => condition.GetProperty("type").GetString() == "Ready").GetProperty("status").GetString(),
        "True");

    private static Task UntilLabelsAsync(HttpClient api, string labels) =>
        UntilAsync(api, "the labels", pod => pod.GetProperty("metadata").GetProperty("labels").GetRawText(), labels);

    private static Task UntilAsync<T>(HttpClient api, string what, Func<JsonElement, T> look, T expected) => Eventually.Is(
        what,
        async stop =>
        {
            using var pod = JsonDocument.Parse(await api.GetStringAsync("/api/v1/namespaces/default/pods/web-1", stop));
            return look(pod.RootElement);
        },
        expected,
        Soon);
}
