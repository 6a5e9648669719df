using System.Collections.Concurrent;
using System.Net;
using Mesh.Testing.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests.Discovery;

/// <summary>What a client adds for itself, such as a handler that tries again, stands around the call by name.</summary>
public sealed class OwnHandlerTests
{
    private const string Spec = """ "clusterIP":"127.96.0.7","clusterIPs":["127.96.0.7"],"ports":[{"name":"http","port":80}]""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("")]
    [InlineData("by name as well, within")]
    [InlineData("by name as well, around")]
    [Trait("Row", "ECO-3.6.1")]
    public async Task Handlers_of_a_client_see_the_Service_and_their_next_try_reaches_another_Pod(string added)
    {
        await using var tired = await KitchenServer.StartAsync("tired", Stop);
        await using var alive = await KitchenServer.StartAsync("alive", Stop);
        tired.Answer = context =>
        {
            context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
            return Task.CompletedTask;
        };
        var (seen, log) = (new ConcurrentQueue<Uri?>(), new LogLines());
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Told.Service("default/web", Spec, Nobody(1), PodOf(tired), PodOf(alive));
        await using var app = DiscoveryUnderTest.Of(node, compose: services =>
        {
            services.AddLogging(logging => logging.AddProvider(log));
            services.AddMeshHttpDefaults();
            var client = services.AddHttpClient("kitchen");
            if (added.EndsWith("around", StringComparison.Ordinal))
            {
                client.AddServiceDiscovery();
            }

            client.AddHttpMessageHandler(() => new TryAgain(seen));
            if (added.EndsWith("within", StringComparison.Ordinal))
            {
                client.AddServiceDiscovery();
            }
        });
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient("kitchen");

        for (var call = 0; call < 6; call++)
        {
            Assert.StartsWith("alive as web.default.svc.cluster.local", await client.GetStringAsync("http://web/menu", Stop), StringComparison.Ordinal);
        }

        Assert.NotEmpty(tired.Received);
        Assert.All(seen, uri => Assert.Equal("http://web/menu", uri?.ToString()));
        // The innermost line is of the request as it is sent, at whatever Pod.
        Assert.Contains(log.Written, line => line.Contains($"Sending HTTP request GET http://127.0.0.1:{tired.Port}/", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.6.1")]
    public async Task Tries_that_all_fail_end_in_the_failure_of_the_last_one()
    {
        var seen = new ConcurrentQueue<Uri?>();
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Told.Service("default/web", Spec, Nobody(1), Nobody(2));
        await using var app = DiscoveryUnderTest.Of(node, compose: services =>
            services.AddMeshHttpDefaults().AddHttpClient("kitchen").AddHttpMessageHandler(() => new TryAgain(seen)));
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient("kitchen");

        var failed = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("http://web/menu", Stop));

        Assert.Equal((HttpRequestError.ConnectionError, 2), (failed.HttpRequestError, seen.Count));
    }

    /// <summary>An address of its own at a port where nobody listens.</summary>
    private static ToldPod Nobody(int number) => new($"nobody-{number}", $"127.0.0.{number + 1}", ("http", 1));

    private static ToldPod PodOf(KitchenServer server) => new(server.Name, "127.0.0.1", ("http", server.Port));

    /// <summary>
    /// As handlers of resilience do: sends the same request again, when it failed once, and while a server has no time a few
    /// times, as Pods take their turns anew whenever the node tells of them.
    /// </summary>
    private sealed class TryAgain(ConcurrentQueue<Uri?> seen) : DelegatingHandler
    {
        private const int MostTries = 10;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            for (var attempt = 1; ; attempt++)
            {
                seen.Enqueue(request.RequestUri);
                try
                {
                    var answer = await base.SendAsync(request, cancellationToken);
                    if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || attempt == MostTries)
                    {
                        return answer;
                    }

                    answer.Dispose();
                }
                catch (HttpRequestException) when (attempt == 1)
                {
                    // As good as no time.
                }
            }
        }
    }
}
