using System.Net;
using System.Net.Sockets;
using Mesh.Testing;
using Mesh.Testing.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Dns.Tests;

/// <summary>What docs/metrics.md says of DNS, counted under real queries.</summary>
[Collection(nameof(Alone))]
public sealed class MetricTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Each_answer_is_timed_by_the_type_of_its_question_and_its_code_over_UDP_and_TCP()
    {
        await using var server = DnsServer.Start(
            new DnsServerOptions { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] }, SomeCluster.Responder(SomeCluster.With()), WatchedLoops.Unwatched(), TimeProvider.System, NullLogger<DnsServer>.Instance);
        using var measured = new Measured("Mesh.Dns");
        using var udp = new UdpClient();
        udp.Connect(server.EndPoints[0]);
        byte[][] queries =
        [
            Packet.Query("web.default.svc.cluster.local", 1),
            Packet.Query("web.default.svc.cluster.local", 28),
            Packet.Query("_http._tcp.web.default.svc.cluster.local", 33),
            Packet.Query("none.default.svc.cluster.local", 1),
            Packet.Query("example.com", 16),
            Packet.Query("web.default.svc.cluster.local", 99),
        ];
        for (var i = 0; i < queries.Length; i++)
        {
            await udp.SendAsync(queries[i], Stop);
            await udp.ReceiveAsync(Stop);
            await measured.UntilAsync("mesh.dns.server.duration", i + 1, Stop);
        }

        using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await tcp.ConnectAsync(server.EndPoints[0], Stop);
        await tcp.SendAsync(Packet.WithLength(Packet.Query("web.default.svc.cluster.local", 1)), Stop);
        await measured.UntilAsync("mesh.dns.server.duration", queries.Length + 1, Stop);

        Assert.Equal(
            [
                "dns.question.type=A mesh.dns.rcode=NOERROR",
                "dns.question.type=AAAA mesh.dns.rcode=NOERROR",
                "dns.question.type=SRV mesh.dns.rcode=NOERROR",
                "dns.question.type=A mesh.dns.rcode=NXDOMAIN",
                "dns.question.type=TXT mesh.dns.rcode=REFUSED",
                "dns.question.type=other mesh.dns.rcode=NOERROR",
                "dns.question.type=A mesh.dns.rcode=NOERROR",
            ],
            measured.Tags("mesh.dns.server.duration"));
    }
}

/// <summary>Tests that must run alone in their process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
