using System.Text;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.L7.Carrier;
using Mesh.DataPlane.L7.Strict;
using Mesh.DataPlane.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Hosts that look strange and are none of the gateway's business, as long as every reader reads them alike.</summary>
public sealed class AuthorityTests
{
    private const int Limit = 60_000;

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

    [Fact]
    public void A_name_is_an_authority_exactly_when_it_can_be_sent_to_an_endpoint()
    {
        var (taken, refused) = (0, 0);
        foreach (var name in Names("", 8))
        {
            using var request = new HttpRequestMessage();
            var isTaken = Authority.IsValid(Encoding.ASCII.GetBytes(name));
            Assert.True(isTaken == IsTaken(() => request.Headers.Host = name), name);
            _ = isTaken ? taken++ : refused++;
        }

        Assert.True(taken > 100_000 && refused > 100_000, $"{taken} {refused}"); // both were reached
    }

    [Theory]
    [InlineData("a", 253)]
    [InlineData("9", 253)]
    [InlineData("_", 63)]
    public void The_longest_names_can_be_sent_too(string letter, int length)
    {
        using var request = new HttpRequestMessage();
        var label = string.Concat(Enumerable.Repeat(letter, 63));
        var name = string.Join('.', label, label, label, label)[..length];

        Assert.True(Authority.IsValid(Encoding.ASCII.GetBytes(name + ".:65535")));
        request.Headers.Host = name + ".:65535";
        Assert.False(Authority.IsValid(Encoding.ASCII.GetBytes(letter + name)));
    }

    [Fact(Timeout = Limit)]
    public async Task A_host_that_the_reader_lets_pass_and_that_cannot_be_sent_is_nobodys_fault_but_the_clients()
    {
        var routes = new SomeRoutes();
        routes.Service("web", "127.97.0.1", 80, new SomePod("web-1", L4Host.FreeClusterIP()));
        routes.Synced();
        using var carrier = new YarpCarrier(routes.Published, new IngressOptions(), TimeProvider.System);
        var exchange = new Exchange("gateway");
        var http = new DefaultHttpContext();
        http.Request.Method = "GET";
        http.Request.Headers.Host = "a.b._c.test";
        http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/";
        exchange.Begin(http.Features, 0);
        exchange.Service = SomeRoutes.Name("web");

        var outcome = await carrier.CarryAsync(exchange, routes.Published.Current.Services[exchange.Service].Ports[0].Usable[0]);

        var refusal = Assert.IsType<CarryOutcome.BadRequest>(outcome).Refusal;
        Assert.Equal(400, refusal.Status);
        Assert.StartsWith("the Host header is no host name", refusal.Detail, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(string start, int longest)
    {
        if (start.Length > 0)
        {
            yield return start;
        }

        foreach (var name in start.Length == longest ? [] : "a1-_.".SelectMany(letter => Names(start + letter, longest)))
        {
            yield return name;
        }
    }

    private static bool IsTaken(Action set)
    {
        try
        {
            set();
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static TheoryDataRow<string> Row(string id, string name) => new TheoryDataRow<string>(name).WithTrait("Row", id);
}
