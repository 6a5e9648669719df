using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Addresses that manifests name: written as Kubernetes writes them, and some machine's.</summary>
public sealed class AddressValidationTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    private const string Services = "/api/v1/namespaces/default/services";

    private const string Annotation = "metadata.annotations[mesh.internal/pod-ip]";

    public static TheoryData<string> NoMachines =>
    [
        "1", "127.1", "0x7f000001", "2130706433", "127.0.0.01", "", "host", "fe80::1%eth0", "[::1]",
        "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "169.254.169.254", "fe80::1", "ff02::1", "::ffff:169.254.169.254",
    ];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(NoMachines))]
    public async Task What_is_no_machines_address_is_422_wherever_it_stands(string address)
    {
        var pod = await host.Http.SendAsync("POST", Pods, Pod("nowhere", address));
        var service = await host.Http.SendAsync(
            "POST", Services, $$"""{"metadata":{"name":"nowhere"},"spec":{"ports":[{"port":80}],"selector":{"a":"b"},"externalIPs":["{{address}}"]} }""");

        Assert.Equal((422, $"FieldValueInvalid {Annotation}"), (pod.Code, Assert.Single(pod.Causes)));
        Assert.Equal((422, "FieldValueInvalid spec.externalIPs[0]"), (service.Code, Assert.Single(service.Causes)));
        Assert.Equal(404, (await host.Http.SendAsync("GET", $"{Pods}/nowhere")).Code);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("127.0.0.1")]
    [InlineData("127.80.0.7")]
    [InlineData("10.1.2.3")]
    [InlineData("2001:db8::1")]
    public async Task Any_machines_address_is_accepted(string address) =>
        Assert.Equal(201, (await host.Http.SendAsync("POST", $"{Pods}?dryRun=All", Pod("somewhere", address))).Code);

    [Theory(Timeout = 30_000)]
    [Trait("Row", "S-F19")]
    [InlineData("httpGet")]
    [InlineData("tcpSocket")]
    public async Task A_probe_goes_to_the_Pod_and_to_no_other_host(string action)
    {
        string Probed(string host) =>
            Pod("probed", "127.80.0.7").Replace("\"name\":\"a\"", $$"""
                "name":"a","readinessProbe":{"{{action}}":{"port":80,"host":"{{host}}"} }
                """, StringComparison.Ordinal);

        var other = await host.Http.SendAsync("POST", $"{Pods}?dryRun=All", Probed("169.254.169.254"));
        var own = await host.Http.SendAsync("POST", $"{Pods}?dryRun=All", Probed("127.80.0.7"));

        Assert.Equal((422, $"FieldValueInvalid spec.containers[0].readinessProbe.{action}.host"), (other.Code, Assert.Single(other.Causes)));
        Assert.Contains("probes go to the Pod's own address; for a virtual host give the header Host", other.Message, StringComparison.Ordinal);
        Assert.Equal(201, own.Code);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_Pod_keeps_its_address()
    {
        const string Merge = "application/merge-patch+json";
        Assert.Equal(201, (await host.Http.SendAsync("POST", Pods, Pod("placed", "127.80.0.7"))).Code);
        Assert.Equal(201, (await host.Http.SendAsync("POST", Pods, """{"metadata":{"name":"unplaced"},"spec":{"containers":[{"name":"a"}]}}""")).Code);

        var moved = await host.Http.SendAsync("PATCH", $"{Pods}/placed", """{"metadata":{"annotations":{"mesh.internal/pod-ip":"127.80.0.8"}}}""", Merge);
        var taken = await host.Http.SendAsync("PATCH", $"{Pods}/placed", """{"metadata":{"annotations":null}}""", Merge);
        var given = await host.Http.SendAsync("PATCH", $"{Pods}/unplaced", """{"metadata":{"annotations":{"mesh.internal/pod-ip":"127.80.0.8"}}}""", Merge);
        var kept = await host.Http.SendAsync("PATCH", $"{Pods}/placed", """{"metadata":{"annotations":{"note":"a"}}}""", Merge);

        Assert.All(new[] { moved, taken, given }, answer =>
        {
            Assert.Equal((422, $"FieldValueInvalid {Annotation}"), (answer.Code, Assert.Single(answer.Causes)));
            Assert.Contains("field is immutable; delete the Pod and create it with the other address", answer.Message, StringComparison.Ordinal);
        });
        Assert.Equal((200, "127.80.0.7"), (kept.Code, kept.Body!["metadata"]!["annotations"]!["mesh.internal/pod-ip"]!.GetValue<string>()));
    }

    private static string Pod(string name, string address) =>
        $$"""{"metadata":{"name":"{{name}}","annotations":{"mesh.internal/pod-ip":"{{address}}"} },"spec":{"containers":[{"name":"a"}]} }""";
}
