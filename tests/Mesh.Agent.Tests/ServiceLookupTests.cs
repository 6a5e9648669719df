using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Testing.Routing;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>A process of this machine asks for a Service by name, and is told what the machine routes by.</summary>
public sealed class ServiceLookupTests
{
    private const string Spec = """
        "type":"ClusterIP","clusterIP":"127.96.0.7","clusterIPs":["127.96.0.7"],"selector":{"app":"web"},
        "ports":[{"name":"http","port":80,"protocol":"TCP","appProtocol":"http","targetPort":8080},{"name":"admin","port":9090,"protocol":"TCP","targetPort":9090}]
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_Service_is_told_with_its_ports_and_where_each_of_them_is_served()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = agent.Url };
        agent.Told.Namespace("default");
        agent.Told.Service(
            "default/web",
            Spec,
            new ToldPod("web-1", "10.0.0.1", ("http", 8081), ("admin", 9091)),
            new ToldPod("web-2", "10.0.0.2", ("http", 8082)),
            new ToldPod("web-3", "10.0.0.3", ("http", 8083)) { Ready = false },
            new ToldPod("web-4", "10.0.0.4", ("http", 8084)).Draining);
        agent.Told.Synced();

        var service = await http.GetFromJsonAsync<JsonElement>("/v1/namespaces/default/services/web", Stop);

        Assert.Equal(
            ("default", "web", "u-default/web", "ClusterIP", "127.96.0.7", "web.default.svc.cluster.local"),
            (Text(service, "namespace"), Text(service, "name"), Text(service, "uid"), Text(service, "type"), Text(service, "clusterIP"), Text(service, "host")));
        Assert.Equal(agent.Routes.Version, service.GetProperty("revision").GetInt64());
        Assert.Equal(
            ["""{"name":"http","port":80,"protocol":"TCP","appProtocol":"http"}""", """{"name":"admin","port":9090,"protocol":"TCP"}"""],
            service.GetProperty("ports").EnumerateArray().Select(port => port.GetRawText()));
        Assert.Equal(
            [
                "web-1 10.0.0.1 n2 True True False http:8081:True admin:9091:True",
                "web-2 10.0.0.2 n2 True True False http:8082:True",
                "web-3 10.0.0.3 n2 False False False http:8083:False",
                "web-4 10.0.0.4 n2 False True True http:8084:False",
            ],
            service.GetProperty("endpoints").EnumerateArray().Select(Endpoint));

        var list = await http.GetFromJsonAsync<JsonElement>("/v1/namespaces/default/services", Stop);
        var listed = Assert.Single(list.GetProperty("items").EnumerateArray());
        Assert.Equal(("web", 2, 4, 0), (Text(listed, "name"), listed.GetProperty("ready").GetInt32(), listed.GetProperty("total").GetInt32(), list.GetProperty("remaining").GetInt32()));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("default/services/wbe", HttpStatusCode.NotFound, "Service default/wbe does not exist; nearest web.")]
    [InlineData("default/services/elsewhere", HttpStatusCode.NotFound, "Service default/elsewhere does not exist; there is shop/elsewhere.")]
    [InlineData("default/services/quite-another", HttpStatusCode.NotFound, "Service default/quite-another does not exist.")]
    [InlineData("shopp/services/web", HttpStatusCode.NotFound, "Namespace shopp does not exist; nearest shop.")]
    [InlineData("shopp/services", HttpStatusCode.NotFound, "Namespace shopp does not exist.")]
    [InlineData("default/services/unheard", HttpStatusCode.ServiceUnavailable, "Service default/unheard: its endpoints are not known yet.")]
    [InlineData("UPPER/services/web", HttpStatusCode.BadRequest, "namespace: 'UPPER' is not a DNS label.")]
    [InlineData("default/services/We_b", HttpStatusCode.BadRequest, "name: 'We_b' is not a DNS label.")]
    [InlineData("default/services/web/more", HttpStatusCode.BadRequest, "name: 'web/more' is not a DNS label.")]
    [InlineData("default/services/web?watch=maybe", HttpStatusCode.BadRequest, "watch: 'maybe' is neither true nor false.")]
    public async Task What_is_not_there_is_told_in_a_sentence(string path, HttpStatusCode status, string sentence)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = agent.Url };
        agent.Told.Namespace("default");
        agent.Told.Namespace("shop");
        agent.Told.Service("default/web", Spec);
        agent.Told.Service("shop/elsewhere", Spec);
        agent.Told.ServiceWithoutEndpoints("default/unheard", Spec);
        agent.Told.Synced();

        using var answer = await http.GetAsync($"/v1/namespaces/{path}", Stop);

        Assert.Equal((status, sentence), (answer.StatusCode, Text(await answer.Content.ReadFromJsonAsync<JsonElement>(Stop), "message")));
    }

    [Fact(Timeout = 30_000)]
    public async Task Before_the_first_word_of_a_silo_nothing_is_said_to_be_missing_and_the_journal_is_told()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = agent.Url };
        agent.Told.Service("default/web", Spec, new ToldPod("web-1", "10.0.0.1", ("http", 8081)));

        using var unknown = await http.GetAsync("/v1/namespaces/default/services/api", Stop);
        using var unknownWatch = await http.GetAsync("/v1/namespaces/default/services/api?watch=true", Stop);
        using var list = await http.GetAsync("/v1/namespaces/default/services", Stop);
        var known = await http.GetFromJsonAsync<JsonElement>("/v1/namespaces/default/services/web", Stop);

        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable),
            (unknown.StatusCode, unknownWatch.StatusCode, list.StatusCode));
        Assert.Equal(
            "Service default/api is not known yet: this machine has not heard all routes from the control plane yet.",
            Text(await unknown.Content.ReadFromJsonAsync<JsonElement>(Stop), "message"));
        Assert.Equal("web-1", Text(known.GetProperty("endpoints")[0], "pod"));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("HEAD")]
    public async Task Services_are_only_read_here(string method)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = agent.Url };
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/namespaces/default/services/web");

        using var answer = await http.SendAsync(request, Stop);

        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET"), (answer.StatusCode, Assert.Single(answer.Content.Headers.Allow)));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("Host", "evil.example.com", "Host 'evil.example.com' is not this node.")]
    [InlineData("Origin", "http://evil.example.com", "Origin 'http://evil.example.com' may not ask this node.")]
    public async Task A_page_of_a_browser_learns_nothing(string header, string value, string sentence)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = agent.Url };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/namespaces/default/services/web") { Headers = { { header, value } } };

        using var answer = await http.SendAsync(request, Stop);

        Assert.Equal((HttpStatusCode.Forbidden, sentence), (answer.StatusCode, Text(await answer.Content.ReadFromJsonAsync<JsonElement>(Stop), "message")));
    }

    private static string Endpoint(JsonElement endpoint) =>
        $"{Text(endpoint, "pod")} {Text(endpoint, "address")} {Text(endpoint, "node")} {endpoint.GetProperty("ready")} {endpoint.GetProperty("serving")} {endpoint.GetProperty("terminating")} "
        + string.Join(' ', endpoint.GetProperty("ports").EnumerateArray().Select(port => $"{Text(port, "name")}:{port.GetProperty("port")}:{port.GetProperty("usable")}"));

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
