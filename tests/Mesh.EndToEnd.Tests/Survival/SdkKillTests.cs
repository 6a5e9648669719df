using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>An application that joined by the SDK is one Pod for as long as its process lives, however often its node dies.</summary>
public sealed class SdkKillTests
{
    private const int Kills = 3;

    /// <summary>A killed node is started again within a second and awaits its Pods' streams for ten; the rest is for a busy machine.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("host")]
    [InlineData("allocate")]
    [Trait("Row", "ECO-3.2.crash")]
    public async Task A_Pod_outlives_its_node_and_not_its_process(string address)
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        using var service = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero }) { BaseAddress = await CreateServiceAsync(api) };
        await using var soup = Soup(machine, address);
        await IsServedAsync(service, soup);
        var registered = await PodAsync(node);

        for (var kill = 1; kill <= Kills; kill++)
        {
            Signals.Kill(machine.NodePid);

            await Eventually.Meets("its stream is taken up again", _ => Task.FromResult(soup.Output), said => said.Split("The node is back").Length - 1 == kill, Grace);
            Assert.Equal(registered, await PodAsync(node));
            await IsServedAsync(service, soup);
        }

        Signals.Kill(soup.Pid);

        await Eventually.Is("the Pod at its node", async stop => (await node.GetAsync("/v1/namespaces/default/pods/soup-1", stop)).StatusCode, HttpStatusCode.NotFound, Grace);
        await Eventually.Is("whether the ClusterIP accepts", stop => AcceptsAsync(service, stop), false, Grace);
        await Eventually.Is("the Pod in the API", async stop => (await api.GetAsync("/api/v1/namespaces/default/pods/soup-1", stop)).StatusCode, HttpStatusCode.NotFound, Grace);
        Assert.DoesNotContain("Registered again", soup.Output, StringComparison.Ordinal);
    }

    /// <summary>On a free port of the machine's address, or on the usual one of its own.</summary>
    private static ProcessUnderTest Soup(SiloUnderTest machine, string address) => ProcessUnderTest.Start(
        BuiltProgram.Path("Soup", "Soup"),
        [],
        new Dictionary<string, string>
        {
            ["MESH_NODE_URL"] = machine.NodeUrl.ToString(),
            ["MESH_POD_NAME"] = "soup-1",
            ["MESH_LABELS"] = "app=soup",
            ["MESH_ADDRESS"] = address,
            ["Mesh__AllocateTimeout"] = "00:00:30",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
        });

    private static async Task<Uri> CreateServiceAsync(HttpClient api) =>
        new($"http://{await SomeService.CreateAsync(api, "soup", "soup", [new { port = SomeService.Port, targetPort = "http" }], Stop)}:{SomeService.Port}/");

    private static Task IsServedAsync(HttpClient service, ProcessUnderTest soup) => Eventually.Is(
        "the process that answers at the ClusterIP",
        async stop => (await service.GetFromJsonAsync<JsonElement>("/", stop)).GetProperty("pid").GetInt32(),
        soup.Pid,
        Grace);

    private static async Task<bool> AcceptsAsync(HttpClient service, CancellationToken stop)
    {
        try
        {
            return await service.GetAsync("/", stop) is not null;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<(string Uid, string Address)> PodAsync(HttpClient node)
    {
        var pod = await node.GetFromJsonAsync<JsonElement>("/v1/namespaces/default/pods/soup-1", Stop);
        return (pod.GetProperty("metadata").GetProperty("uid").GetString()!, pod.GetProperty("status").GetProperty("podIP").GetString()!);
    }
}
