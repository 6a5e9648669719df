using System.Net;
using System.Net.Sockets;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Loops;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Dns.Tests;

public sealed class DnsServerTests
{
    private const int Deadline = 30_000;
    private const string Web = "web.default.svc.cluster.local";

    private static readonly byte[] Query = Packet.Query(Web, 1);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Deadline)]
    public async Task UDP_and_TCP_answer_on_one_port()
    {
        await using var server = Start();
        using var udp = new UdpClient();
        udp.Connect(server.EndPoints[0]);
        await udp.SendAsync(Query, Stop);
        Assert.Equal("127.96.0.10", new Reply((await udp.ReceiveAsync(Stop)).Buffer).Answers[0].Data);

        using var tcp = await ConnectAsync(server);
        await tcp.SendAsync(Packet.WithLength(Query), Stop);
        Assert.Equal("127.96.0.10", (await ReceiveAsync(tcp)).Answers[0].Data);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_server_that_was_stopped_can_be_disposed_again()
    {
        var server = Start();
        await server.DisposeAsync();
        await server.DisposeAsync();

        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(server.EndPoints[0]);
    }

    [Fact(Timeout = Deadline)]
    public async Task A_packet_that_is_dropped_does_not_end_the_service()
    {
        await using var server = Start();
        using var udp = new UdpClient();
        udp.Connect(server.EndPoints[0]);
        await udp.SendAsync(new byte[3], Stop);
        await udp.SendAsync(Array.Empty<byte>(), Stop);
        await udp.SendAsync(Query, Stop);
        Assert.Equal(Packet.Id, new Reply((await udp.ReceiveAsync(Stop)).Buffer).Id);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-D31")]
    public async Task Pipelined_split_and_half_closed_TCP_queries_are_all_answered()
    {
        await using var server = Start();
        using var client = await ConnectAsync(server);
        await client.SendAsync(Enumerable.Repeat(Packet.WithLength(Query), 10).SelectMany(bytes => bytes).ToArray(), Stop);
        foreach (var one in Packet.WithLength(Query))
        {
            await client.SendAsync(new[] { one }, Stop);
        }

        client.Shutdown(SocketShutdown.Send);
        for (var i = 0; i < 11; i++)
        {
            Assert.Equal(0, (await ReceiveAsync(client)).Code);
        }

        Assert.Equal(0, await client.ReceiveAsync(new byte[1], Stop));
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-D31")]
    public async Task A_TCP_message_without_bytes_ends_the_connection()
    {
        await using var server = Start();
        using var client = await ConnectAsync(server);
        await client.SendAsync(new byte[2], Stop);
        await AssertClosedAsync(client);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-D32")]
    public async Task A_TCP_client_that_is_too_slow_is_closed()
    {
        await using var server = Start();
        using var client = await ConnectAsync(server);
        await client.SendAsync(Packet.WithLength(Query), Stop);
        await ReceiveAsync(client);
        await client.SendAsync(new byte[] { 0xFF, 0xFF, 1 }, Stop);

        // Whether the server's next read is armed cannot be seen from here; each step of the clock ends it once it is.
        while (!client.Poll(TimeSpan.FromMilliseconds(1), SelectMode.SelectRead))
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            Stop.ThrowIfCancellationRequested();
        }

        await AssertClosedAsync(client);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-D32")]
    public async Task One_connection_too_many_closes_the_oldest()
    {
        await using var server = Start(maxConnections: 3);
        var clients = new List<Socket>();
        for (var i = 0; i < 4; i++)
        {
            clients.Add(await ConnectAsync(server));
            await clients[i].SendAsync(Packet.WithLength(Query), Stop);
            await ReceiveAsync(clients[i]);
        }

        await AssertClosedAsync(clients[0]);
        await clients[1].SendAsync(Packet.WithLength(Query), Stop);
        Assert.Equal(0, (await ReceiveAsync(clients[1])).Code);
        clients.ForEach(client => client.Dispose());
    }

    [Fact(Timeout = Deadline)]
    public async Task A_taken_port_is_told_and_leaves_nothing_bound()
    {
        await using var server = Start();
        var taken = server.EndPoints[0];
        Assert.Throws<SocketException>(() => Start(taken));
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var free = Start();
        Assert.NotEqual(taken, free.EndPoints[0]);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "DP-D4")]
    public async Task A_question_that_meets_an_exception_holds_up_no_other()
    {
        var routes = SomeCluster.With().Current;
        var faulty = new RoutingSnapshot { IsSynced = true, Namespaces = routes.Namespaces, Services = routes.Services.WithComparers(new FaultyNames("planted")) };
        await using var server = Start(new Published<RoutingSnapshot>(faulty), NullLogger<DnsServer>.Instance, new WatchedLoops(_time).Loops);
        using var client = new UdpClient();
        client.Connect(server.EndPoints[0]);
        for (var i = 0; i < 4; i++) // there are two threads, and the clock stands still
        {
            await client.SendAsync(Packet.Query("planted.default.svc.cluster.local", 1), Stop);
        }

        await client.SendAsync(Query, Stop);

        Assert.Equal("127.96.0.10", new Reply((await client.ReceiveAsync(Stop)).Buffer).Answers[0].Data);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "DNS over UDP")]
    public async Task A_thread_of_UDP_comes_back_after_an_exception_that_could_not_even_be_told()
    {
        var loops = new WatchedLoops(_time);
        await using var server = Start(new Published<RoutingSnapshot>(null!), new FaultyLog(), loops.Loops); // every question meets one
        using var client = new UdpClient();
        client.Connect(server.EndPoints[0]);
        while (loops.Lines.Count < 3) // there are two threads
        {
            await client.SendAsync(Query, Stop);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "DNS over TCP")]
    public async Task Accepting_over_TCP_goes_on_after_an_exception()
    {
        var loops = new WatchedLoops(_time);
        await using var server = DnsServer.Start(
            new DnsServerOptions { Listen = [new IPEndPoint(IPAddress.Loopback, 0)], MaxTcpConnections = 0 }, // the oldest of none is closed for each
            SomeCluster.Responder(SomeCluster.With()),
            loops.Loops,
            _time,
            NullLogger<DnsServer>.Instance);
        using var one = await ConnectAsync(server);
        await loops.EndedAsync("DNS over TCP", Stop);
        using var other = await ConnectAsync(server);
        while (loops.Lines.Count < 2)
        {
            _time.Advance(TimeSpan.FromMinutes(1)); // its pause, and that between two lines
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }
    }

    private DnsServer Start(int maxConnections = 256) => Start(new IPEndPoint(IPAddress.Loopback, 0), maxConnections);

    private DnsServer Start(IPEndPoint listen, int maxConnections = 256) => DnsServer.Start(
        new DnsServerOptions { Listen = [listen], MaxTcpConnections = maxConnections },
        SomeCluster.Responder(SomeCluster.With()),
        WatchedLoops.Unwatched(),
        _time,
        NullLogger<DnsServer>.Instance);

    private DnsServer Start(Published<RoutingSnapshot> routes, ILogger<DnsServer> log, ProcessLoops loops) => DnsServer.Start(
        new DnsServerOptions { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] }, SomeCluster.Responder(routes), loops, _time, log);

    private static async Task<Socket> ConnectAsync(DnsServer server)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(server.EndPoints[0], Stop);
        return client;
    }

    /// <summary>Closed, with FIN or, when something was unread, with RST.</summary>
    private static async Task AssertClosedAsync(Socket client)
    {
        try
        {
            Assert.Equal(0, await client.ReceiveAsync(new byte[1], Stop));
        }
        catch (SocketException error)
        {
            Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        }
    }

    private static async Task<Reply> ReceiveAsync(Socket client)
    {
        var length = await ReadAsync(client, 2);
        return new Reply(await ReadAsync(client, (length[0] << 8) | length[1]));
    }

    private static async Task<byte[]> ReadAsync(Socket client, int length)
    {
        var bytes = new byte[length];
        for (var at = 0; at < length;)
        {
            var read = await client.ReceiveAsync(bytes.AsMemory(at), Stop);
            Assert.NotEqual(0, read);
            at += read;
        }

        return bytes;
    }

    /// <summary>Names of which one cannot be looked for.</summary>
    private sealed class FaultyNames(string faulty) : IEqualityComparer<NamespacedName>
    {
        public bool Equals(NamespacedName? x, NamespacedName? y) => x == y;

        public int GetHashCode(NamespacedName obj) => obj.Name == faulty ? throw PlantedTime.Planted() : obj.GetHashCode();
    }

    private sealed class FaultyLog : ILogger<DnsServer>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error)
            {
                throw PlantedTime.Planted();
            }
        }
    }
}
