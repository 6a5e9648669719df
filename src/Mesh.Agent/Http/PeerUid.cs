using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Mesh.Agent.Http;

/// <summary>Which user's process is at the other end of a local connection, as the kernel says.</summary>
internal static class PeerUid
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int UcredSize = 12;
    private const int UcredUidOffset = 4;

    /// <summary>The user that this process runs as.</summary>
    public static uint Own { get; } = NativeSockets.geteuid();

    /// <summary>Whoever can do what this node can: nothing is kept from them.</summary>
    public static bool IsFree(uint uid) => uid == Own || uid == 0;

    /// <summary>Null when the kernel does not tell: the other end is gone, or is no process of this machine.</summary>
    public static uint? Of(Socket socket) => socket.AddressFamily == AddressFamily.Unix ? OfUnix(socket) : OfTcp(socket);

    private static uint? OfUnix(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[UcredSize];
        return socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) == UcredSize
            ? MemoryMarshal.Read<uint>(credentials[UcredUidOffset..])
            : null;
    }

    private static uint? OfTcp(Socket socket)
    {
        if (socket.RemoteEndPoint is not IPEndPoint peer || socket.LocalEndPoint is not IPEndPoint own)
        {
            return null;
        }

        // Some kernels and sandboxes have no sock_diag.
        return SocketDiagnosis.TryFindOwner(Plain(peer), Plain(own), out var owner) ? owner : SocketList.OwnerOf(Plain(peer), Plain(own));
    }

    private static IPEndPoint Plain(IPEndPoint endpoint) =>
        endpoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;
}
