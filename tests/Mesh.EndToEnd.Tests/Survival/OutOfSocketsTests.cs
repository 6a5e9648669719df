using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>A real node that may open nothing more for a while: a process of its own, since that takes away every descriptor.</summary>
public sealed class OutOfSocketsTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Whom_a_node_without_sockets_could_not_accept_is_served_when_it_has_some_again()
    {
        await using var served = await ServedMachine.StartAsync();
        using var kept = await served.EchoAsync();
        await EchoedAsync(kept);
        using var service = new TcpClient();
        using var dns = new TcpClient();
        using var ingress = new TcpClient();

        using (OpenFiles.None(served.Machine.NodePid))
        {
            await service.ConnectAsync(served.EchoIP, SomeService.Port, Stop); // the backlog takes them
            await dns.ConnectAsync(served.Machine.Dns, Stop);
            await ingress.ConnectAsync("127.0.0.1", served.Machine.IngressUrl.Port, Stop);
            var log = await Eventually.Meets(
                "the node tells of both",
                _ => Task.FromResult(served.Machine.NodeLog),
                seen => seen.Contains("could not accept a connection", StringComparison.Ordinal) && seen.Contains("DNS could not receive or send", StringComparison.Ordinal),
                Soon);
            Assert.Contains($"Service default/echo could not accept a connection on {served.EchoIP}:{SomeService.Port}", log, StringComparison.Ordinal);
            await EchoedAsync(kept); // what is open goes on
        }

        await EchoedAsync(service);
        Assert.Equal(served.EchoIP, await ResolvedAsync(dns, "echo.default.svc.cluster.local"));
        await ingress.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: web.example.com\r\n\r\n"), Stop);
        var status = new byte["HTTP/1.1 200".Length];
        await ingress.GetStream().ReadExactlyAsync(status, Stop);
        Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(status));
        await StillClosesAsync(served);
    }

    private static async Task EchoedAsync(TcpClient client)
    {
        await client.GetStream().WriteAsync("x"u8.ToArray(), Stop);
        Assert.Equal(1, await client.GetStream().ReadAsync(new byte[1], Stop));
    }

    private static async Task<IPAddress> ResolvedAsync(TcpClient dns, string name)
    {
        var query = DnsProbe.Query(name);
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)query.Length);
        await dns.GetStream().WriteAsync((byte[])[.. length, .. query], Stop);
        await dns.GetStream().ReadExactlyAsync(length, Stop);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await dns.GetStream().ReadExactlyAsync(answer, Stop);
        return new IPAddress(answer.AsSpan(answer.Length - 4));
    }

    /// <summary>A listener that has failed is one that closes all the same.</summary>
    private static async Task StillClosesAsync(ServedMachine served)
    {
        using var api = served.Machine.Api();
        (await api.DeleteAsync("/api/v1/namespaces/default/services/echo", Stop)).EnsureSuccessStatusCode();
        await Eventually.Is(
            "the deleted Service refuses",
            async stop =>
            {
                using var client = new TcpClient();
                try
                {
                    await client.ConnectAsync(served.EchoIP, SomeService.Port, stop);
                    return SocketError.Success;
                }
                catch (SocketException refused)
                {
                    return refused.SocketErrorCode;
                }
            },
            SocketError.ConnectionRefused,
            Soon);
    }
}
