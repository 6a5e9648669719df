using System.Net;
using System.Net.Sockets;

namespace Mesh.Agent.Probes;

/// <summary>
/// The node's end of a probe. It ends as any client's does, and leaves no TIME_WAIT behind: sixty of them would stand for each
/// Pod, as many as it was probed in a minute.
/// </summary>
internal sealed class ProbeSocket : IDisposable
{
    private const int SolTcp = 6;
    private const int TcpLinger2 = 8;

    private readonly Socket _socket;

    private ProbeSocket(Socket socket) => _socket = socket;

    public Socket Socket => _socket;

    /// <exception cref="SocketException">There is no socket for it, or nobody took it.</exception>
    public static async Task<ProbeSocket> ConnectAsync(IPEndPoint endpoint, CancellationToken stop)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // tcp(7): below 0, the kernel forgets the connection once the server has the FIN. A reset instead of the FIN
            // (SO_LINGER 0) would be an error to the server, in its log each second.
            socket.SetRawSocketOption(SolTcp, TcpLinger2, BitConverter.GetBytes(-1));
            await socket.ConnectAsync(endpoint, stop);
            // A free port of the ephemeral range can be connected to from itself.
            return socket.LocalEndPoint!.Equals(endpoint) ? throw new SocketException((int)SocketError.ConnectionRefused) : new ProbeSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The answer was taken. Where the server has ended its side it is done, and a reset spares it the TIME_WAIT.</summary>
    public void Answered(bool hasEnded)
    {
        if (hasEnded || (_socket.Poll(0, SelectMode.SelectRead) && _socket.Available == 0))
        {
            _socket.LingerState = new LingerOption(true, 0);
        }
    }

    public void Dispose() => _socket.Dispose();
}
