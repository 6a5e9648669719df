using System.Globalization;
using System.Net;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests;

/// <summary>Both ends of what is carried are asked whether they still live; the kernel's own table tells.</summary>
public sealed class KeepAliveTests
{
    private const int Limit = 60_000;
    private const string KeepAliveTimer = "02"; // /proc/net/tcp, column "tr"

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task An_idle_connection_of_the_L4_proxy_is_kept_alive_at_both_ends()
    {
        await using var backend = new RecordingBackend();
        await using var host = new L4Host();
        var address = await host.ServeAsync(backend.Pod("web-1"));
        using var client = await L4Host.ConnectAsync(address, Stop);
        var endpoint = await backend.AcceptedAsync(Stop);

        await KeptAliveAsync(address, (IPEndPoint)client.Socket.LocalEndPoint!);
        await KeptAliveAsync((IPEndPoint)endpoint.Socket.RemoteEndPoint!, backend.Address);
    }

    [Fact(Timeout = Limit)]
    public async Task An_idle_exchange_of_the_gateway_is_kept_alive_at_both_ends()
    {
        await using var backend = new RecordingBackend(async connection => await connection.ReceiveUntilAsync("never"));
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        var endpoint = await backend.AcceptedAsync(Stop);

        await KeptAliveAsync(host.Address, (IPEndPoint)client.Socket.LocalEndPoint!);
        await KeptAliveAsync((IPEndPoint)endpoint.Socket.RemoteEndPoint!, backend.Address);
    }

    /// <summary>Until the timer of that socket is the one of TCP keep-alive: before, it may wait for an acknowledgement.</summary>
    private static async Task KeptAliveAsync(IPEndPoint local, IPEndPoint remote)
    {
        var wanted = $"{Hex(local)} {Hex(remote)}";
        while (!(await File.ReadAllLinesAsync("/proc/net/tcp", Stop)).Any(line =>
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var from, var to, _, _, var timer, ..] && $"{from} {to}" == wanted && timer.StartsWith(KeepAliveTimer, StringComparison.Ordinal)))
        {
            await Task.Yield();
        }
    }

    private static string Hex(IPEndPoint address) => string.Create(
        CultureInfo.InvariantCulture, $"{BitConverter.ToUInt32(address.Address.GetAddressBytes()):X8}:{address.Port:X4}");
}
