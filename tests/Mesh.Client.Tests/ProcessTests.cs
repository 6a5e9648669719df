using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>The SDK in a real process beside a real silo and node.</summary>
public sealed class ProcessTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_Pod_that_kubectl_deletes_is_terminated_and_its_process_lives_on()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        using var api = machine.Api();
        await using var soup = Soup(machine, "soup-1");
        await UidAsync(node, "soup-1");
        await Eventually.Is("the Pod in the API", async stop => (await api.GetAsync("/api/v1/namespaces/default/pods/soup-1", stop)).StatusCode, HttpStatusCode.OK, Soon);

        Assert.True((await api.DeleteAsync("/api/v1/namespaces/default/pods/soup-1", Stop)).IsSuccessStatusCode);

        await Eventually.Is("the application knows", () => soup.Output.Contains("was deleted", StringComparison.Ordinal), true, Soon);
        Assert.False(soup.HasExited);
        Assert.Equal(HttpStatusCode.NotFound, (await node.GetAsync("/v1/namespaces/default/pods/soup-1", Stop)).StatusCode);

        Signals.Terminate(soup.Pid);
        Assert.Equal(0, await soup.WaitForExitAsync(Stop));
    }

    private static ProcessUnderTest Soup(SiloUnderTest machine, string name) => ProcessUnderTest.Start(
        BuiltProgram.Path("Soup", "Soup"),
        [],
        new Dictionary<string, string> { ["MESH_NODE_URL"] = machine.NodeUrl.ToString(), ["MESH_POD_NAME"] = name, ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" });

    private static async Task<string> UidAsync(HttpClient node, string name)
    {
        var pod = await Eventually.Meets(
            $"Pod {name}",
            async stop => await node.GetAsync($"/v1/namespaces/default/pods/{name}", stop) is { IsSuccessStatusCode: true } found
                ? await found.Content.ReadFromJsonAsync<JsonElement>(stop)
                : default,
            seen => seen.ValueKind == JsonValueKind.Object,
            Soon);
        return pod.Uid();
    }
}
