using System.Net;
using System.Text.Json;
using Mesh.Agent.Discovery;
using Mesh.Agent.Http;
using Mesh.Core.Names;
using Mesh.Testing.Routing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>A watch shows the whole Service at each change: the newest, to whoever reads, for as long as the Service and the node live.</summary>
public sealed class ServiceWatchTests
{
    private const string Spec = """ "clusterIP":"127.96.0.7","clusterIPs":["127.96.0.7"],"ports":[{"name":"http","port":80,"targetPort":8080}]""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Each_change_is_one_line_of_the_whole_and_a_deletion_is_the_last()
    {
        await using var agent = await WithWebAsync();
        using var watch = await Lines.OpenAsync(agent.Url, "web");
        Assert.Equal("ADDED web-1 web-2", await watch.NextAsync());

        agent.Told.Service("default/other", Spec);
        agent.Told.Service("default/web", Spec, Pod(1));
        Assert.Equal("MODIFIED web-1", await watch.NextAsync());
        agent.Told.Service("default/web", Spec, Pod(1), Pod(2), Pod(3));
        Assert.Equal("MODIFIED web-1 web-2 web-3", await watch.NextAsync());

        agent.Told.Remove("default/web");
        Assert.Equal("DELETED web-1 web-2 web-3", await watch.NextAsync());
        Assert.Null(await watch.NextAsync());
        Assert.Equal(0, agent.Agent.Watches.Count);
    }

    [Fact(Timeout = 30_000)]
    public async Task Both_listeners_take_watches_and_the_stop_of_the_node_ends_them_whole()
    {
        var agent = await WithWebAsync();
        await using (agent)
        {
            using var tcp = await Lines.OpenAsync(agent.Url, "web");
            using var socket = await Lines.OpenAsync(agent.Url, "web", agent.Socket);
            Assert.Equal("ADDED web-1 web-2", await tcp.NextAsync());
            Assert.Equal("ADDED web-1 web-2", await socket.NextAsync());

            await agent.Agent.StopAsync(Stop);

            // A connection that is cut would throw here.
            Assert.Null(await tcp.NextAsync());
            Assert.Null(await socket.NextAsync());
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_reader_that_was_slow_is_shown_the_newest_and_not_what_it_missed()
    {
        await using var agent = await WithWebAsync();
        // More than the sockets of both ends hold: the node must be waiting for this reader.
        var many = Enumerable.Range(0, 20_000).Select(Pod).ToArray();
        using var watch = await Lines.OpenAsync(agent.Url, "web");
        agent.Told.Service("default/web", Spec, many);
        for (var last = 1; last <= 200; last++)
        {
            agent.Told.Service("default/web", Spec, [.. many.Take(last)]);
        }

        var seen = 0;
        string? line;
        do
        {
            line = await watch.NextAsync();
            seen++;
        }
        while (line is not null && line.Split(' ').Length != 201);

        Assert.NotNull(line);
        Assert.InRange(seen, 1, 50);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_reader_that_takes_nothing_loses_its_place()
    {
        var time = new FakeTimeProvider();
        await using var agent = await WithWebAsync(time);
        // More than the sockets of both ends hold.
        agent.Told.Service("default/web", Spec, [.. Enumerable.Range(0, 60_000).Select(Pod)]);
        using var watch = await Lines.OpenAsync(agent.Url, "web");
        Assert.Equal(1, agent.Agent.Watches.Count);

        while (agent.Agent.Watches.Count > 0)
        {
            time.Advance(ServiceStream.LongestStall);
            await Task.Yield();
        }

        await Assert.ThrowsAnyAsync<Exception>(watch.NextAsync);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_Service_made_anew_is_shown_when_its_endpoints_are_known()
    {
        await using var agent = await WithWebAsync();
        using var watch = await Lines.OpenAsync(agent.Url, "web");
        Assert.Equal("ADDED web-1 web-2", await watch.NextAsync());

        agent.Told.Renew("default/web", Spec);
        agent.Told.Renew("default/web", Spec, Pod(7));

        Assert.Equal("MODIFIED web-7", await watch.NextAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_watch_of_what_is_not_there_is_refused_and_holds_nothing()
    {
        await using var agent = await WithWebAsync();
        using var http = new HttpClient { BaseAddress = agent.Url };

        using var answer = await http.GetAsync("/v1/namespaces/default/services/wbe?watch=true", Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(0, agent.Agent.Watches.Count);
    }

    [Fact]
    public void A_user_and_a_node_have_so_many_watches_and_the_next_is_refused_with_a_sentence()
    {
        var watches = new ServiceWatches();
        var web = NamespacedName.Of("default", "web");
        var open = new List<ServiceWatch>();
        void Fill(uint user, int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.Null(watches.Open(web, user, out var watch));
                open.Add(watch!);
            }
        }

        Fill(1000, ServiceWatches.MostOfUser);
        var ofUser = watches.Open(web, 1000, out var none);
        Fill(1001, ServiceWatches.MostOfNode - ServiceWatches.MostOfUser);
        var ofNode = watches.Open(web, 1002, out _);

        Assert.Null(none);
        Assert.Equal((429, "Processes of uid 1000 have 1000 watches of Services, and may have 1000 at most."), (ofUser!.Code, ofUser.Message));
        Assert.Equal((429, "This node has 1500 watches of Services, and takes 1500 at most."), (ofNode!.Code, ofNode.Message));
        open.ForEach(watch => watch.Dispose());
        Assert.Equal(0, watches.Count);
        Assert.Null(watches.Open(web, 1000, out _));
    }

    private static ToldPod Pod(int number) => new($"web-{number}", "10.0.0.1", ("http", 8000 + (number % 50_000)));

    private static async Task<AgentUnderTest> WithWebAsync(TimeProvider? time = null)
    {
        var agent = await AgentUnderTest.StartAsync(Stop, time);
        agent.Told.Namespace("default");
        agent.Told.Service("default/web", Spec, Pod(1), Pod(2));
        agent.Told.Synced();
        return agent;
    }

    /// <summary>The lines of a watch, each as its type and the Pods that it names.</summary>
    private sealed class Lines : IDisposable
    {
        private readonly HttpClient _http;
        private StreamReader? _reader;

        private Lines(HttpClient http) => _http = http;

        public static async Task<Lines> OpenAsync(Uri url, string service, string? socket = null)
        {
            var lines = new Lines(new HttpClient(new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = socket is null ? null : async (_, stop) =>
                {
                    var connection = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                    await connection.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(socket), stop);
                    return new System.Net.Sockets.NetworkStream(connection, ownsSocket: true);
                },
            }));
            var answer = await lines._http.GetAsync(new Uri(url, $"/v1/namespaces/default/services/{service}?watch=true"), HttpCompletionOption.ResponseHeadersRead, Stop);
            Assert.Equal((HttpStatusCode.OK, "application/x-ndjson"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            lines._reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Stop));
            return lines;
        }

        public async Task<string?> NextAsync()
        {
            if (await _reader!.ReadLineAsync(Stop) is not { } text)
            {
                return null;
            }

            var line = JsonSerializer.Deserialize<JsonElement>(text);
            var pods = line.GetProperty("object").GetProperty("endpoints").EnumerateArray().Select(endpoint => endpoint.GetProperty("pod").GetString());
            return string.Join(' ', pods.Prepend(line.GetProperty("type").GetString()));
        }

        public void Dispose()
        {
            _reader?.Dispose();
            _http.Dispose();
        }
    }
}
