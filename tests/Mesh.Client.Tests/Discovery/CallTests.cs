using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using Mesh.Client.Tests.Discovery.Wire;
using Mesh.ServiceDiscovery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Mesh.Client.Tests.Discovery;

/// <summary>An application calls another by its name, from whatever .NET calls with, and real servers answer.</summary>
public sealed class CallTests
{
    private const string Spec = """ "clusterIP":"127.96.0.7","clusterIPs":["127.96.0.7"],"ports":[{"name":"http","port":8080},{"name":"grpc","port":50051},{"name":"admin","port":9090}]""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.13")]
    public async Task A_client_of_the_factory_calls_a_Service_by_each_form_of_its_name()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var web = await KitchenServer.StartAsync("web-1", Stop);
        foreach (var service in (string[])["default/my-api-service", "default/web", "shop/web"])
        {
            node.Told.Service(service, Spec, web.AsPod());
        }

        await using var app = await AppAsync(node, builder => builder.Services.AddMeshHttpDefaults());
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();

        Assert.Equal("web-1 as my-api-service.default.svc.cluster.local /menu", await client.GetStringAsync("http://my-api-service/menu", Stop));
        Assert.Equal("web-1 as web.shop.svc.cluster.local /menu", await client.GetStringAsync("https+http://web.shop/menu", Stop));
        Assert.Equal("web-1 as web.default.svc.cluster.local /menu", await client.GetStringAsync("http://_admin.web/menu", Stop));
        Assert.Equal("web-1 as web.default.svc.cluster.local /menu", await client.GetStringAsync("http://web:8080/menu", Stop));
        // What is no Service goes where it went before.
        Assert.Equal($"web-1 as localhost:{web.Port} /menu", await client.GetStringAsync($"http://localhost:{web.Port}/menu", Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.6.1")]
    public async Task Without_the_defaults_a_client_calls_by_name_that_asks_for_it_and_no_other_is_touched()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var web = await KitchenServer.StartAsync("web-1", Stop);
        node.Told.Service("default/web", Spec, web.AsPod());
        await using var app = await AppAsync(node, builder => builder.Services.AddHttpClient("by-name").AddServiceDiscovery());
        var clients = app.Services.GetRequiredService<IHttpClientFactory>();

        Assert.StartsWith("web-1", await clients.CreateClient("by-name").GetStringAsync("http://web", Stop), StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotSupportedException>(() => clients.CreateClient("other").GetStringAsync("https+http://web", Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.13")]
    public async Task The_span_of_a_call_names_the_Service_and_the_one_who_is_called_continues_it()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var web = await KitchenServer.StartAsync("web-1", Stop);
        web.Answer = context => context.Response.WriteAsync(context.Request.Headers.TraceParent.ToString());
        node.Told.Service("default/web", Spec, web.AsPod());
        await using var app = await AppAsync(node, builder => builder.Services.AddMeshHttpDefaults());
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "System.Net.Http" or nameof(CallTests),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(nameof(CallTests));

        string answered;
        ActivityTraceId trace;
        using (var own = source.StartActivity("lunch")!)
        {
            trace = own.TraceId;
            answered = await client.GetStringAsync("http://web/", Stop);
        }

        var span = Assert.Single(spans, span => span.TraceId == trace && span.Source.Name == "System.Net.Http");
        Assert.Equal("web.default.svc.cluster.local", span.GetTagItem("server.address"));
        Assert.Equal($"00-{trace}-{span.SpanId}-01", answered);
        // The watch began within that request, and lives on: it is no part of its trace.
        Assert.Equal(2, spans.Count(span => span.TraceId == trace));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.14")]
    public async Task A_gRPC_client_of_the_factory_balances_each_call()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var one = await KitchenServer.StartAsync("web-1", Stop);
        await using var two = await KitchenServer.StartAsync("web-2", Stop);
        node.Told.Service("default/web", Spec, one.AsPod(), two.AsPod());
        await using var app = await AppAsync(node, builder =>
        {
            builder.Services.AddMeshHttpDefaults();
            builder.Services.AddGrpcClient<Kitchen.KitchenClient>(options => options.Address = new Uri("http://_grpc.web"));
        });
        var kitchen = app.Services.GetRequiredService<Kitchen.KitchenClient>();

        var cooks = new List<string>();
        for (var call = 0; call < 10; call++)
        {
            cooks.Add((await kitchen.ServeAsync(new Order(), cancellationToken: Stop)).Cook);
        }

        Assert.Equal(["web-1 5", "web-2 5"], cooks.GroupBy(cook => cook).Select(group => $"{group.Key} {group.Count()}").Order(StringComparer.Ordinal));

        // One that ends in order costs no call (one that is killed may: a call is a POST, and twice is not once), and when nobody is left, that is what is said.
        await two.StopAsync(Stop);
        for (var call = 0; call < 4; call++)
        {
            Assert.Equal("web-1", (await kitchen.ServeAsync(new Order(), cancellationToken: Stop)).Cook);
        }

        node.Told.Service("default/web", Spec, one.AsPod() with { Ready = false });
        await Testing.Eventually.Meets(
            "the status of a call",
            async stop =>
            {
                try
                {
                    return (await kitchen.ServeAsync(new Order(), cancellationToken: stop)).Cook;
                }
                catch (RpcException refused)
                {
                    return refused.StatusCode + " " + refused.Status.Detail;
                }
            },
            seen => seen.StartsWith("Unavailable", StringComparison.Ordinal) && seen.Contains("0 of 1 Pod ready", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.6.4")]
    public async Task YARP_sends_to_a_Service_and_follows_its_Pods()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var one = await KitchenServer.StartAsync("web-1", Stop);
        await using var two = await KitchenServer.StartAsync("web-2", Stop);
        node.Told.Service("default/web", Spec, one.AsPod() with { Ready = false });
        await using var app = await AppAsync(
            node,
            builder =>
            {
                builder.Services.AddServiceDiscovery();
                builder.Services.AddReverseProxy()
                    .LoadFromMemory(
                        [new() { RouteId = "all", ClusterId = "web", Match = new() { Path = "/{**rest}" } }],
                        [new() { ClusterId = "web", Destinations = new Dictionary<string, Yarp.ReverseProxy.Configuration.DestinationConfig> { ["web"] = new() { Address = "http://web" } } }])
                    .AddServiceDiscoveryDestinationResolver();
            },
            app => app.MapReverseProxy());
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(app.Urls.Single()) };

        // A Service that nobody serves yet, or any more, neither keeps YARP from its start nor from what comes.
        await AnsweredAsync(client, "BadGateway");
        node.Told.Service("default/web", Spec, one.AsPod());
        await AnsweredAsync(client, "web-1");
        node.Told.Service("default/web", Spec, two.AsPod());
        await AnsweredAsync(client, "web-2");
        node.Told.Service("default/web", Spec);
        await AnsweredAsync(client, "BadGateway");
        node.Told.Service("default/web", Spec, one.AsPod());
        await AnsweredAsync(client, "web-1");
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_a_node_the_host_starts_and_a_call_says_what_to_do()
    {
        await using var node = NodeUnderTest.Away();
        await using var app = await AppAsync(node, builder => builder.Services.AddMeshHttpDefaults());
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();

        var told = await Assert.ThrowsAsync<MeshDiscoveryException>(() => client.GetStringAsync("http://web", Stop));

        Assert.Contains("is mesh-silo started on this machine, and MESH_NODE_URL its --node-listen?", told.Message, StringComparison.Ordinal);
    }

    private static async Task AnsweredAsync(HttpClient client, string by) => await Testing.Eventually.Meets(
        "who answers",
        async stop =>
        {
            using var answer = await client.GetAsync("/menu", stop);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(stop) : $"{answer.StatusCode}";
        },
        said => said.StartsWith(by, StringComparison.Ordinal),
        TimeSpan.FromSeconds(30));

    private static async Task<WebApplication> AppAsync(NodeUnderTest node, Action<WebApplicationBuilder> compose, Action<WebApplication>? map = null)
    {
        var builder = HostUnderTest.Web(node);
        compose(builder);
        var app = builder.Build();
        map?.Invoke(app);
        await app.StartAsync(Stop);
        return app;
    }
}
