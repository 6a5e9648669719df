using System.Net.Sockets;

namespace Mesh.DataPlane;

/// <summary>
/// Finds peers that vanished without a word (RFC 9293 §3.8.4), as a connection that is carried has no limit of silence:
/// about three minutes after its last byte, where the kernel's own default is two hours.
/// </summary>
internal static class TcpKeepAlive
{
    private const int IdleSeconds = 60;
    private const int IntervalSeconds = 15; // nine times, the kernel's default

    /// <summary>On a listening socket before it listens it holds for each connection that is accepted (Linux), and costs those nothing.</summary>
    public static void Enable(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, IntervalSeconds);
    }
}
