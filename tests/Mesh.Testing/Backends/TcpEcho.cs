using System.Net.Sockets;

namespace Mesh.Testing.Backends;

/// <summary>A TCP server that sends back what it gets, until the client has finished.</summary>
public sealed class TcpEcho : TcpBackend
{
    protected override Task ServeAsync(NetworkStream client, CancellationToken stop) => client.CopyToAsync(client, stop);
}
