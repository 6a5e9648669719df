using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>A process without credentials learns whose ClusterIP a wildcard would exclude.</summary>
public sealed class ServicesAtPortTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task The_Services_at_a_port_are_told_by_name_and_ClusterIP_ten_at_most()
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = agent.Url };
        Assert.Empty(await AskAsync(http, 8080));

        agent.Routes = new RoutingSnapshot
        {
            Services = Enumerable.Range(1, 12).Select(number => Route($"s-{number:00}", $"127.96.0.{number}", 8080))
                .Append(Route("headless", "None", 8080)).Append(Route("other", "127.96.1.1", 9999))
                .ToImmutableDictionary(route => route.Service.Name),
        };

        Assert.Equal(Enumerable.Range(1, 10).Select(number => $"default/s-{number:00} 127.96.0.{number}:8080"), await AskAsync(http, 8080));
        Assert.Equal(["default/other 127.96.1.1:9999"], await AskAsync(http, 9999));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("GET", "?port=0", HttpStatusCode.BadRequest)]
    [InlineData("GET", "?port=65536", HttpStatusCode.BadRequest)]
    [InlineData("GET", "?port=http", HttpStatusCode.BadRequest)]
    [InlineData("GET", "", HttpStatusCode.BadRequest)]
    [InlineData("POST", "?port=80", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "?port=80", HttpStatusCode.MethodNotAllowed)]
    public async Task Anything_else_is_refused_with_a_sentence(string method, string query, HttpStatusCode expected)
    {
        await using var agent = await AgentUnderTest.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = agent.Url };
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/services" + query);

        using var answer = await http.SendAsync(request, Stop);

        Assert.Equal(expected, answer.StatusCode);
        Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("message").GetString()!);
    }

    private static async Task<List<string>> AskAsync(HttpClient http, int port)
    {
        var answer = await http.GetFromJsonAsync<JsonElement>($"/v1/services?port={port}", Stop);
        return
        [
            .. answer.GetProperty("items").EnumerateArray().Select(item =>
                $"{item.GetProperty("namespace")}/{item.GetProperty("name")} {item.GetProperty("clusterIP")}:{item.GetProperty("port")}"),
        ];
    }

    private static ServiceRoute Route(string name, string clusterIP, int port) => new()
    {
        Service = ServiceParser.Parse(
            Encoding.UTF8.GetBytes($$$"""
                {"metadata":{"name":"{{{name}}}","namespace":"default","uid":"{{{name}}}"},"spec":{"clusterIP":"{{{clusterIP}}}","clusterIPs":["{{{clusterIP}}}"],
                 "ports":[{"port":{{{port}}},"targetPort":80}]}}
                """),
            1),
        Endpoints = [],
        Ports = [],
    };
}
