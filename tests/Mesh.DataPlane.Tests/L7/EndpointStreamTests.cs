using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;
using Mesh.DataPlane.L7.Carrier;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>What is noted of an endpoint's bytes, however the read of them ends.</summary>
public sealed class EndpointStreamTests
{
    private const int Limit = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData(0, 0)]
    [InlineData(5, 5)]
    public async Task A_receive_that_completes_before_it_is_looked_at_is_asked_for_its_result_once(int length, int wanted)
    {
        using var pair = await SocketPair.ConnectAsync(Stop);
        await using var stream = new EndpointStream(pair.Client);

        Assert.Equal(length, await stream.Seen(new ValueTask<int>(new OnceOnly(length), OnceOnly.Token), wanted));
    }

    [Fact(Timeout = Limit)]
    public async Task An_end_that_completes_before_it_is_looked_at_is_no_answer()
    {
        using var pair = await SocketPair.ConnectAsync(Stop);
        await using var stream = new EndpointStream(pair.Client);

        await Assert.ThrowsAsync<NoAnswerException>(async () => await stream.Seen(new ValueTask<int>(new OnceOnly(0), OnceOnly.Token), 100));
    }

    /// <summary>As a socket's: complete, and somebody else's from the moment that its result was taken.</summary>
    private sealed class OnceOnly(int result) : IValueTaskSource<int>
    {
        public const short Token = 7;

        private bool _taken;

        public ValueTaskSourceStatus GetStatus(short token) => Own(token, ValueTaskSourceStatus.Succeeded);

        public int GetResult(short token)
        {
            var own = Own(token, result);
            _taken = true;
            return own;
        }

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => continuation(state);

        private T Own<T>(short token, T answer) =>
            token == Token && !_taken ? answer : throw new InvalidOperationException("The result was taken already.");
    }

    private sealed class SocketPair(Socket client, Socket server) : IDisposable
    {
        public Socket Client => client;

        public static async Task<SocketPair> ConnectAsync(CancellationToken stop)
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(listener.LocalEndPoint!, stop);
            return new SocketPair(client, await listener.AcceptAsync(stop));
        }

        public void Dispose()
        {
            client.Dispose();
            server.Dispose();
        }
    }
}
