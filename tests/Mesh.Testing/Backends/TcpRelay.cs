using System.Net;
using System.Net.Sockets;

namespace Mesh.Testing.Backends;

/// <summary>A server that sends every byte on to another address, and what comes from there back: a proxy that changes nothing.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _to;
    private readonly Task _accepting;
    private int _connections;

    public TcpRelay(IPEndPoint to)
    {
        _to = to;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Connections over which something came.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relaying = new List<Task>();
        try
        {
            while (true)
            {
                relaying.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(relaying);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                var first = new byte[4096];
                var read = await client.GetStream().ReadAsync(first, _stop.Token);
                if (read > 0)
                {
                    Interlocked.Increment(ref _connections);
                    await server.ConnectAsync(_to, _stop.Token);
                    await server.GetStream().WriteAsync(first.AsMemory(0, read), _stop.Token);
                    await Task.WhenAny(
                        client.GetStream().CopyToAsync(server.GetStream(), _stop.Token),
                        server.GetStream().CopyToAsync(client.GetStream(), _stop.Token));
                }
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
            {
                // One side left.
            }
        }
    }
}
