using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>What a user changes his mind about: how fast it should end, and where it should listen.</summary>
public sealed class SecondThoughtsTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_second_Ctrl_C_does_not_wait_for_the_drain()
    {
        await using var served = await ServedMachine.StartAsync();
        var machine = served.Machine;
        var node = machine.NodePid;
        using var stream = await served.EchoAsync();

        Signals.Interrupt(machine.Process.Pid);
        await Eventually.Is("the node drains", () => machine.NodeLog.Contains("mesh-node ends", StringComparison.Ordinal), true, Soon);
        Assert.False(machine.Process.HasExited);
        Assert.False(Signals.HasEnded(node));

        Signals.Interrupt(machine.Process.Pid);
        Assert.Equal(130, await machine.Process.WaitForExitAsync(Stop));

        // The connection that the drain waits for is still ours: the node was ended too.
        await Eventually.Is("the node has ended", () => Signals.HasEnded(node), true, Soon);
    }

    [Fact(Timeout = 300_000)]
    public async Task Another_Ingress_address_is_taken_up_by_the_kept_node_with_every_registration()
    {
        // Of no port that somebody else may get when it is given up.
        await using var served = await ServedMachine.StartAsync(ingressHttp: $"127.0.0.1:{FreePort.Next()}");
        var machine = served.Machine;
        var node = machine.NodePid;
        var before = machine.IngressUrl;
        using var stream = await served.EchoAsync();
        using var tunnel = await served.WebSocketAsync();

        await machine.KillSiloAsync(Stop);
        machine.IngressHttp = $"127.0.0.1:{FreePort.Next()}";
        await machine.StartAsync();

        Assert.Equal(node, machine.NodePid);
        Assert.NotEqual(before, machine.IngressUrl);
        await served.UntilServedAsync();
        using var gone = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(async () => await gone.ConnectAsync(IPAddress.Loopback, before.Port, Stop));

        // What is under way at the old address goes on there.
        await tunnel.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Stop);
        Assert.Equal(1, (await tunnel.ReceiveAsync(new byte[1], Stop)).Count);

        // A connection of a Service has nothing to do with the Ingress, and the Pods are the same ones.
        await stream.GetStream().WriteAsync("x"u8.ToArray(), Stop);
        Assert.Equal(1, await stream.GetStream().ReadAsync(new byte[1], Stop));
        using var api = machine.Api();
        foreach (var pod in served.Pods)
        {
            Assert.Contains(pod.Uid, await api.GetStringAsync("/api/v1/namespaces/default/pods", Stop), StringComparison.Ordinal);
        }
    }
}
