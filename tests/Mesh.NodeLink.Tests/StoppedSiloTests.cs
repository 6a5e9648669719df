using System.Net.Sockets;
using Xunit;

namespace Mesh.NodeLink.Tests;

/// <summary>A silo that is stopped (SIGSTOP) keeps its sockets open and says nothing: its kernel still takes connections and bytes.</summary>
public sealed class StoppedSiloTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_silo_that_stops_in_the_middle_of_a_link_is_left_and_linked_to_again_when_it_goes_on()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        var between = Path.Combine(place.Directory, "between.sock");
        await using var relay = new Relay(between, place.Socket);
        await using var node = new FakeNode(between);
        await silo.Sessions.Reader.ReadAsync(stop);
        await silo.Inventories.Reader.ReadAsync(stop);

        relay.IsStopped = true;
        node.Outbox.Put(LinkTests.Report("u1", ended: true));
        await node.Losses.Reader.ReadAsync(stop);
        relay.IsStopped = false;

        Assert.Equal("u1", (await silo.Reports.Reader.ReadAsync(stop)).Uid);
        await node.Acks.Reader.ReadAsync(stop);
    }

    /// <summary>Carries connections to the silo; stopped, it takes bytes and carries none.</summary>
    private sealed class Relay : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly string _silo;
        private readonly Task _accepting;
        private volatile bool _isStopped;

        public Relay(string path, string silo)
        {
            _silo = silo;
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen();
            _accepting = AcceptAsync();
        }

        public bool IsStopped
        {
            get => _isStopped;
            set => _isStopped = value;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _listener.Dispose();
            _stop.Dispose();
        }

        private async Task AcceptAsync()
        {
            var carrying = new List<Task>();
            try
            {
                while (true)
                {
                    carrying.Add(CarryAsync(await _listener.AcceptAsync(_stop.Token)));
                }
            }
            finally
            {
                await Task.WhenAll(carrying).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        private async Task CarryAsync(Socket node)
        {
            using var from = node;
            using var to = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await to.ConnectAsync(new UnixDomainSocketEndPoint(_silo), _stop.Token);
            await await Task.WhenAny(PumpAsync(from, to), PumpAsync(to, from));
        }

        private async Task PumpAsync(Socket from, Socket to)
        {
            var buffer = new byte[65536];
            int read;
            while ((read = await from.ReceiveAsync(buffer, _stop.Token)) > 0)
            {
                if (!_isStopped)
                {
                    await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
                }
            }
        }
    }
}
