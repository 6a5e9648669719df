using System.Net.Sockets;
using Mesh.Testing.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A process of the SDK says that it lives, for as long as it does.</summary>
[Trait("Row", "R-S4")]
public sealed class NodeAnswersTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_process_that_is_stopped_leaves_the_routes_and_comes_back_when_it_goes_on()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var soup = ProcessUnderTest.Start(
            BuiltProgram.Path("Soup", "Soup"),
            [],
            new Dictionary<string, string> { ["MESH_NODE_URL"] = node.Url, ["MESH_POD_NAME"] = "soup-1", ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" });
        await node.RoutedAsync(static pod => pod.IsReady, Stop);
        await node.AskedAsync("soup-1"); // from then on it is missed

        Signals.Stop(soup.Pid);
        var silent = await node.RoutedAsync(static pod => !pod.IsReady, Stop);
        Signals.Continue(soup.Pid);
        var well = await node.RoutedAsync(static pod => pod.IsReady, Stop);

        Assert.True(silent.IsAlive);
        Assert.Equal(silent.Uid, well.Uid);
    }

    [Fact(Timeout = 60_000)]
    public async Task Whoever_connects_gets_a_byte_and_one_who_does_not_wait_for_it_harms_nobody()
    {
        using var answers = new NodeAnswers();
        using var stop = new CancellationTokenSource();
        var running = ClientLoop.RunAsync("answers to the node", answers.RunAsync, TimeProvider.System, NullLogger.Instance, stop.Token);
        for (var i = 0; i < 20; i++)
        {
            using (await ConnectAsync(answers))
            {
                // Gone at once.
            }

            using var node = await ConnectAsync(answers);
            Assert.Equal(1, await node.ReceiveAsync(new byte[2], Stop));
        }

        await stop.CancelAsync();
        await running;
    }

    private static async Task<Socket> ConnectAsync(NodeAnswers answers)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint("\0mesh-answers-" + answers.Name), Stop);
        return socket;
    }
}
