using System.Net;
using System.Net.Sockets;

namespace Mesh.Testing.Backends;

/// <summary>A server that sends every byte on to another address, and what comes from there back: a proxy that changes nothing.</summary>
public sealed class TcpRelay(IPEndPoint to) : TcpBackend
{
    private int _connections;

    /// <summary>Connections over which something came.</summary>
    public int Connections => Volatile.Read(ref _connections);

    protected override async Task ServeAsync(NetworkStream client, CancellationToken stop)
    {
        var first = new byte[4096];
        var read = await client.ReadAsync(first, stop);
        if (read == 0)
        {
            return;
        }

        Interlocked.Increment(ref _connections);
        using var server = new TcpClient();
        await server.ConnectAsync(to, stop);
        await server.GetStream().WriteAsync(first.AsMemory(0, read), stop);
        await Task.WhenAny(client.CopyToAsync(server.GetStream(), stop), server.GetStream().CopyToAsync(client, stop));
    }
}
