using System.Net.Sockets;
using System.Net.WebSockets;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>A silo can be killed at any time: nothing that runs through the node notices.</summary>
public sealed class SiloKillTests
{
    private const int Kills = 8;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task Eight_kills_of_the_silo_cut_no_connection_and_fail_no_request()
    {
        await using var served = await ServedMachine.StartAsync();
        var machine = served.Machine;
        var node = machine.NodePid;
        using var kept = served.Ingress();
        using var webSocket = await served.WebSocketAsync();
        using var stream = await served.EchoAsync();
        using var load = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Watched http = new("kept HTTP connection"), socket = new("WebSocket"), tcp = new("TCP stream"), fresh = new("new TCP connection"), dns = new("DNS");
        Watched[] all = [http, socket, tcp, fresh, dns];
        Task[] loads =
        [
            http.RepeatAsync(async stop => (await kept.GetAsync("/", stop)).EnsureSuccessStatusCode(), load.Token),
            socket.RepeatAsync(stop => EchoAsync(webSocket, stop), load.Token),
            tcp.RepeatAsync(stop => EchoAsync(stream, stop), load.Token),
            fresh.RepeatAsync(
                async stop =>
                {
                    using var client = new TcpClient();
                    await client.ConnectAsync(served.EchoIP, SomeService.Port, stop);
                    await EchoAsync(client, stop);
                },
                load.Token),
            dns.RepeatAsync(
                async stop => Assert.Equal(served.WebIP, await DnsProbe.ResolveAsync(machine.Dns, "web.default.svc.cluster.local", stop)),
                load.Token),
        ];
        var ends = served.Pods.Select(pod => pod.UntilEndedAsync(load.Token)).ToArray();

        for (var kill = 0; kill < Kills; kill++)
        {
            await machine.KillSiloAsync(Stop);
            foreach (var watched in all)
            {
                var before = watched.Done;
                await Eventually.Meets($"{watched.What} goes on without a silo", _ => Task.FromResult(watched.Done), done => done > before + 5, TimeSpan.FromSeconds(60));
            }

            await machine.StartAsync();
        }

        Assert.All(ends, end => Assert.False(end.IsCompleted, "a registration ended"));
        await load.CancelAsync();
        await Task.WhenAll(loads);
        Assert.Equal(node, machine.NodePid);
        foreach (var watched in all)
        {
            Assert.Empty(watched.Failures);
            Assert.InRange(watched.Done, 100, long.MaxValue);
            // Nobody waits for a silo, as is seen after each kill, and nobody hung when nobody looked.
            Assert.InRange(watched.LongestGap, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_pod_that_dies_while_the_silo_is_dead_leaves_rotation_and_the_next_silo_knows()
    {
        await using var served = await ServedMachine.StartAsync();
        var machine = served.Machine;
        await machine.KillSiloAsync(Stop);

        await served.Pods[0].DisposeAsync();
        using var ingress = served.Ingress();
        var answers = new HashSet<string>();
        await Eventually.Is(
            "only the other Pod answers",
            async stop =>
            {
                answers.Clear();
                for (var i = 0; i < 20; i++)
                {
                    answers.Add(await ingress.GetStringAsync("/", stop));
                }

                return string.Join(',', answers.Order());
            },
            "web-2",
            TimeSpan.FromSeconds(60));

        await machine.StartAsync();
        using var api = machine.Api();
        await Eventually.Is(
            "the API forgets the Pod",
            async stop => (await api.GetAsync("/api/v1/namespaces/default/pods/web-1", stop)).StatusCode,
            System.Net.HttpStatusCode.NotFound,
            TimeSpan.FromSeconds(60));
    }

    private static async Task EchoAsync(ClientWebSocket socket, CancellationToken stop)
    {
        var buffer = new byte[16];
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, stop);
        var answer = await socket.ReceiveAsync(buffer.AsMemory(), stop);
        Assert.Equal((WebSocketMessageType.Text, 5), (answer.MessageType, answer.Count));
    }

    private static async Task EchoAsync(TcpClient client, CancellationToken stop)
    {
        var buffer = new byte[5];
        await client.GetStream().WriteAsync("hello"u8.ToArray(), stop);
        await client.GetStream().ReadExactlyAsync(buffer, stop);
    }
}
