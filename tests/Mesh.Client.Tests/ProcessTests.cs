using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>The SDK in a real process beside a real silo and node.</summary>
public sealed class ProcessTests
{
    private const int ServicePort = 18_321;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_Pod_that_kubectl_deletes_is_terminated_and_its_process_lives_on_where_its_user_wants_that()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        using var api = machine.Api();
        await using var soup = Soup(machine, "soup-1", ("MESH_WHEN_DELETED", "stay"));
        await UidAsync(node, "soup-1");
        await Eventually.Is("the Pod in the API", async stop => (await api.GetAsync("/api/v1/namespaces/default/pods/soup-1", stop)).StatusCode, HttpStatusCode.OK, Soon);

        Assert.True((await api.DeleteAsync("/api/v1/namespaces/default/pods/soup-1", Stop)).IsSuccessStatusCode);

        await Eventually.Is("the application knows", () => soup.Output.Contains("was deleted", StringComparison.Ordinal), true, Soon);
        Assert.False(soup.HasExited);
        Assert.Equal(HttpStatusCode.NotFound, (await node.GetAsync("/v1/namespaces/default/pods/soup-1", Stop)).StatusCode);

        Signals.Terminate(soup.Pid);
        Assert.Equal(0, await soup.WaitForExitAsync(Stop));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_Pod_that_kubectl_deletes_comes_back_as_another_or_ends_its_process_where_its_user_wants_that()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        using var api = machine.Api();
        await using var stopping = Soup(machine, "stops", ("MESH_WHEN_DELETED", "stop"));
        await using var returning = Soup(machine, "returns");
        var before = await UidAsync(node, "returns");
        await UidAsync(node, "stops");

        foreach (var name in (string[])["stops", "returns"])
        {
            var path = $"/api/v1/namespaces/default/pods/{name}";
            await Eventually.Is("the Pod in the API", async stop => (await api.GetAsync(path, stop)).StatusCode, HttpStatusCode.OK, Soon);
            Assert.True((await api.DeleteAsync(path, Stop)).IsSuccessStatusCode);
        }

        Assert.Equal(0, await stopping.WaitForExitAsync(Stop));
        Assert.Contains("warn: ", stopping.Output, StringComparison.Ordinal);
        await Eventually.Is("registered again", () => returning.Output.Contains("Registered again as Pod default/returns", StringComparison.Ordinal), true, Soon);
        Assert.Contains("Pod default/returns was deleted; this process is registered again", returning.Output, StringComparison.Ordinal);
        Assert.NotEqual(before, await UidAsync(node, "returns"));
        await Eventually.Is("ready again in the API", async stop => (await api.GetStringAsync("/api/v1/namespaces/default/pods/returns", stop)).Contains("\"True\"", StringComparison.Ordinal), true, Soon);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("api", "is no mesh-node: MESH_NODE_URL is where it registers Pods")]
    [InlineData("ingressHttp", "no rule for host")]
    [InlineData("nobody", "Connection refused")]
    public async Task A_wrong_MESH_NODE_URL_is_told_by_what_is_there_and_what_to_do(string listener, string told)
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var port = listener == "nobody" ? "1" : machine.Address(listener).Split(':')[^1];

        await using var soup = Soup(machine, "soup-1", ("MESH_NODE_URL", $"http://127.0.0.1:{port}"));

        await Eventually.Is("the reason", () => soup.Output.Contains(told, StringComparison.Ordinal), true, Soon);
        Assert.Contains("MESH_NODE_URL", soup.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_name_that_another_process_has_is_told_with_what_to_do()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        await using var first = Soup(machine, "soup-1");
        await UidAsync(node, "soup-1");

        await using var second = Soup(machine, "soup-1");

        await Eventually.Is("what to do", () => second.Output.Contains("choose another MESH_POD_NAME", StringComparison.Ordinal), true, Soon);
        Assert.DoesNotContain("?uid=", second.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_application_that_a_ClusterIP_keeps_from_its_port_says_whose_it_is()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        await using var echo = new TcpEcho();
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "web-1", new { labels = new { app = "web" }, ports = new[] { new { name = "main", containerPort = echo.Port } } }, Stop);
        var created = await api.PostAsJsonAsync(
            "/api/v1/namespaces/default/services",
            new { apiVersion = "v1", kind = "Service", metadata = new { name = "web" }, spec = new { selector = new { app = "web" }, ports = new[] { new { port = ServicePort, targetPort = "main" } } } },
            Stop);
        var service = await created.Content.ReadFromJsonAsync<JsonElement>(Stop);
        var address = service.GetProperty("spec").GetProperty("clusterIP").GetString()!;
        await Eventually.Is(
            "the ClusterIP accepts",
            async stop =>
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Parse(address), ServicePort, stop);
                return client.Connected;
            },
            true,
            Soon);

        await using var soup = Soup(machine, "soup-1", ("ASPNETCORE_URLS", $"http://*:{ServicePort}"));

        Assert.NotEqual(0, await soup.WaitForExitAsync(Stop));
        await Eventually.Is("whose it is", () => soup.Output.Contains($"beside Service default/web ({address}:{ServicePort}); MESH_ADDRESS=allocate", StringComparison.Ordinal), true, Soon);
    }

    private static ProcessUnderTest Soup(SiloUnderTest machine, string name, params (string Variable, string Value)[] more) => ProcessUnderTest.Start(
        BuiltProgram.Path("Soup", "Soup"),
        [],
        new (string Variable, string Value)[] { ("MESH_NODE_URL", machine.NodeUrl.ToString()), ("MESH_POD_NAME", name), ("ASPNETCORE_URLS", "http://127.0.0.1:0") }
            .Where(usual => more.All(one => one.Variable != usual.Variable))
            .Concat(more)
            .ToDictionary(pair => pair.Variable, pair => pair.Value));

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
