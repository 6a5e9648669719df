using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Ports of one number and two protocols, as a name server has them, through kubectl apply.</summary>
public sealed class KubectlPortTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Udp = "{name: udp, port: 53, protocol: UDP, targetPort: 53}";
    private const string Tcp = "{name: tcp, port: 53, protocol: TCP, targetPort: 53}";
    private const string Web = "{name: web, port: 80}";

    [Theory(Timeout = 60_000)]
    [InlineData(Udp, Udp + "," + Tcp)]
    [InlineData(Udp, Tcp + "," + Udp)]
    [InlineData(Udp + "," + Tcp, Tcp + "," + Udp)]
    [InlineData(Udp + "," + Tcp, Udp)]
    [InlineData(Udp + "," + Tcp, Tcp)]
    [InlineData(Udp, Tcp)]
    [InlineData(Udp + "," + Tcp, "{name: udp, port: 53, protocol: UDP, targetPort: 5353},{name: tcp, port: 53, protocol: TCP, targetPort: 5353}")]
    [InlineData(Udp + "," + Tcp, "{name: udp, port: 53, protocol: UDP, targetPort: 5353}," + Tcp)]
    [InlineData(Udp + "," + Tcp, Udp + ",{name: tcp, port: 53, targetPort: 5353}")]
    [InlineData("{name: udp, port: 53, protocol: UDP, targetPort: 5353}", "{name: udp, port: 53, protocol: UDP, targetPort: 5353},{name: tcp, port: 53, targetPort: 5353}")]
    [InlineData("{name: udp, port: 53, protocol: UDP, appProtocol: dns}," + Tcp, Udp + "," + Tcp)]
    [InlineData(Udp + "," + Web + "," + Tcp, Web + "," + Tcp)]
    [InlineData(Web, Web + "," + Udp + "," + Tcp)]
    public async Task What_was_applied_is_what_there_is(string before, string after)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        var ns = await host.Http.NewNamespaceAsync();

        await kubectl.RunAsync($"apply -n {ns} -f -", Manifest(before));
        await kubectl.RunAsync($"apply -n {ns} -f -", Manifest(after));

        var fresh = await host.Http.SendAsync("POST", $"/api/v1/namespaces/{ns}/services?dryRun=All", Manifest(after).Replace("names", "fresh", StringComparison.Ordinal), "application/yaml");
        var stored = await host.Http.SendAsync("GET", $"/api/v1/namespaces/{ns}/services/names");
        Assert.Equal(201, fresh.Code);
        Assert.Equal(Ports(fresh), Ports(stored));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_patch_by_hand_names_the_port_by_number_and_protocol()
    {
        var services = $"/api/v1/namespaces/{await host.Http.NewNamespaceAsync()}/services";
        await host.Http.SendAsync("POST", services, Manifest(Udp), "application/yaml");

        foreach (var patch in new[]
        {
            """{"spec":{"ports":[{"name":"tcp","port":53,"protocol":"TCP"}]}}""",
            """{"spec":{"ports":[{"port":53,"protocol":"TCP","targetPort":5353}]}}""",
            """{"spec":{"ports":[{"$patch":"delete","port":53,"protocol":"UDP"}]}}""",
        })
        {
            Assert.Equal(200, (await host.Http.SendAsync("PATCH", $"{services}/names", patch, "application/strategic-merge-patch+json")).Code);
        }

        Assert.Equal(["tcp 53/TCP 5353 "], Ports(await host.Http.SendAsync("GET", $"{services}/names")));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_port_whose_protocol_is_edited_is_changed_and_none_is_added()
    {
        var services = $"/api/v1/namespaces/{await host.Http.NewNamespaceAsync()}/services";
        await host.Http.SendAsync("POST", services, Manifest(Udp), "application/yaml");

        var edited = await host.Http.SendAsync(
            "PATCH",
            $"{services}/names",
            """{"spec":{"$setElementOrder/ports":[{"port":53}],"ports":[{"port":53,"protocol":"TCP"}]}}""",
            "application/strategic-merge-patch+json");

        Assert.Equal(["udp 53/TCP 53 "], Ports(edited));
    }

    private static string Manifest(string ports) =>
        $"apiVersion: v1\nkind: Service\nmetadata: {{name: names}}\nspec: {{selector: {{a: b}}, ports: [{ports}]}}\n";

    private static IEnumerable<string> Ports(Answer answer) => answer.Body!["spec"]!["ports"]!.AsArray()
        .Select(port => $"{port!["name"]} {port["port"]}/{port["protocol"]} {port["targetPort"]} {port["appProtocol"]}").Order(StringComparer.Ordinal);
}
