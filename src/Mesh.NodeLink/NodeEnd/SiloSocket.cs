using System.Net.Sockets;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>Connects to the silo of this machine.</summary>
internal static class SiloSocket
{
    /// <param name="path">Path of the silo's <c>link.sock</c>.</param>
    public static async ValueTask<Stream> ConnectAsync(string path, CancellationToken stop)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath.ForConnecting(path)), stop);
            return new NetworkStream(connection, ownsSocket: true);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
