using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Testing.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Mesh.Client.Tests.Discovery;

/// <summary>A Pod that dies costs its callers no request that may be sent twice, and none is sent twice that may not.</summary>
public sealed class ResendTests
{
    private const string Spec = """ "clusterIP":"127.96.0.7","clusterIPs":["127.96.0.7"],"ports":[{"name":"http","port":80}]""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("GET", false)]
    [InlineData("POST", false)]
    [InlineData("PUT", true)]
    public async Task What_could_not_be_sent_is_sent_to_another_whatever_it_is(string method, bool isStream)
    {
        await using var alive = await KitchenServer.StartAsync("alive", Stop);
        await using var kitchen = await AppAsync(alive, Refusing(1), Refusing(2), Refusing(3));

        for (var call = 0; call < 8; call++)
        {
            using var answer = await kitchen.SendAsync(method, isStream);
            Assert.StartsWith("alive as web.default.svc.cluster.local", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        }

        Assert.Equal(8, alive.Received.Count);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("GET", false, true)]
    [InlineData("DELETE", false, true)]
    [InlineData("PUT", false, true)]
    [InlineData("PUT", true, false)]
    [InlineData("POST", false, false)]
    [InlineData("PATCH", false, false)]
    public async Task What_broke_under_way_is_sent_again_only_where_twice_is_once_and_its_body_is_there(string method, bool isStream, bool resent)
    {
        await using var alive = await KitchenServer.StartAsync("alive", Stop);
        await using var dying = new DyingServer();
        await using var kitchen = await AppAsync(alive, new ToldPod("dying", "127.0.0.1", ("http", dying.Port)));

        var failed = 0;
        for (var call = 0; call < 8; call++)
        {
            try
            {
                using var answer = await kitchen.SendAsync(method, isStream);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
            catch (HttpRequestException)
            {
                failed++;
            }
        }

        Assert.NotEqual(0, dying.Requests);
        Assert.Equal(resent ? 0 : dying.Requests, failed);
        Assert.Equal(8, alive.Received.Count + failed);
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_every_endpoint_fails_the_failure_is_the_last_ones_own()
    {
        await using var kitchen = await AppAsync(null, Refusing(1), Refusing(2));

        var failed = await Assert.ThrowsAsync<HttpRequestException>(() => kitchen.SendAsync("GET", isStream: false));

        Assert.Equal(HttpRequestError.ConnectionError, failed.HttpRequestError);
    }

    /// <summary>An address of its own at a port where nobody listens.</summary>
    private static ToldPod Refusing(int number) => new($"refusing-{number}", $"127.0.0.{number + 1}", ("http", 1));

    private static async Task<Caller> AppAsync(KitchenServer? alive, params ToldPod[] others)
    {
        var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Told.Service("default/web", Spec, [.. others, .. alive is null ? Array.Empty<ToldPod>() : [new ToldPod("alive", "127.0.0.1", ("http", alive.Port))]]);
        return new Caller(node, DiscoveryUnderTest.Of(node, compose: services => services.AddMeshHttpDefaults()));
    }

    private sealed class Caller(NodeUnderTest node, DiscoveryUnderTest discovery) : IAsyncDisposable
    {
        private readonly HttpClient _client = discovery.Services.GetRequiredService<IHttpClientFactory>().CreateClient();

        public Task<HttpResponseMessage> SendAsync(string method, bool isStream)
        {
            var body = Encoding.UTF8.GetBytes("a bowl");
            return _client.SendAsync(
                new HttpRequestMessage(new HttpMethod(method), "http://web/bowls/1")
                {
                    Content = method is "GET" or "DELETE" ? null : isStream ? new StreamContent(new MemoryStream(body)) : new ByteArrayContent(body),
                },
                Stop);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await discovery.DisposeAsync();
            await node.DisposeAsync();
        }
    }

    /// <summary>A process that is killed with a request in its hands: takes it, and its connection is reset.</summary>
    private sealed class DyingServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;
        private int _requests;

        public DyingServer()
        {
            _listener.Start();
            _serving = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Requests => Volatile.Read(ref _requests);

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _serving;
        }

        private async Task ServeAsync()
        {
            var buffer = new byte[4096];
            try
            {
                while (true)
                {
                    using var connection = await _listener.AcceptSocketAsync(CancellationToken.None);
                    if (await connection.ReceiveAsync(buffer, CancellationToken.None) > 0)
                    {
                        Interlocked.Increment(ref _requests);
                    }

                    connection.LingerState = new LingerOption(enable: true, seconds: 0);
                }
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
