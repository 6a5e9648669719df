using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Hosts that look strange and are none of the gateway's business, as long as every reader reads them alike.</summary>
public sealed class AuthorityTests
{
    private const int Limit = 20_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string>> Unusual() =>
    [
        Row("REL-H218", "my_app.test"),
        Row("REL-H219", "[::1]:80"),
        Row("REL-H222", "2130706433"),
        Row("REL-H223", "xn--mnchen-3ya.test"),
    ];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Unusual))]
    public async Task A_host_without_a_rule_is_not_found_and_with_a_rule_for_all_reaches_its_endpoint_as_it_was_sent(string name)
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.Equal(404, (await host.AskAsync(HostileRequests.Get(name), Stop))!.Status);
        host.Routes.Ingress("all", "", ("/", "Prefix", "web"));
        Assert.Equal(200, (await host.AskAsync(HostileRequests.Get(name), Stop))!.Status);

        Assert.Equal(name, Assert.Single(Assert.Single(backend.Requests).All("Host")));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-H199")]
    public async Task A_request_of_HTTP_1_0_without_host_is_for_the_rule_of_all_hosts()
    {
        const string request = "GET / HTTP/1.0\r\n\r\n";
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);

        Assert.Equal(404, (await host.AskAsync(request, Stop))!.Status);
        host.Routes.Ingress("all", "", ("/", "Prefix", "web"));
        Assert.Equal(200, (await host.AskAsync(request, Stop))!.Status);

        Assert.Single(Assert.Single(backend.Requests).All("Host"));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X01")]
    public async Task However_many_hosts_there_are_their_case_makes_no_difference()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        for (var number = 1; number <= 1000; number++)
        {
            host.Routes.Ingress($"number-{number}", $"app-{number}.test", ("/", "Prefix", number % 2 == 0 ? "web" : "none"));
            if (number is 1 or 99 or 101 or 1000)
            {
                var expected = number % 2 == 0 ? 200 : 503;
                Assert.Equal(expected, (await host.AskAsync(HostileRequests.Get($"app-{number}.test"), Stop))!.Status);
                Assert.Equal(expected, (await host.AskAsync(HostileRequests.Get($"APP-{number}.TEST"), Stop))!.Status);
                Assert.Equal(200, (await host.AskAsync(HostileRequests.Get("aPP.tESt"), Stop))!.Status);
            }
        }
    }

    private static TheoryDataRow<string> Row(string id, string name) => new TheoryDataRow<string>(name).WithTrait("Row", id);
}
