using System.Buffers.Binary;
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

        return SocketDiagnosis.OwnerOf(Plain(peer), Plain(own));
    }

    private static IPEndPoint Plain(IPEndPoint endpoint) =>
        endpoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;
}

/// <summary>
/// Asks the kernel for one TCP socket by its two ends (sock_diag(7)): what /proc/net/tcp lists, without reading the whole
/// list, which with ten thousand open streams is megabytes a request.
/// </summary>
internal static class SocketDiagnosis
{
    private const int AfNetlink = 16;
    private const int SockDgramCloexec = 2 | 0x80000;
    private const int NetlinkSockDiag = 4;
    private const ushort SockDiagByFamily = 20;
    private const ushort NlmFlagRequest = 1;
    private const int HeaderSize = 16;
    private const int RequestSize = HeaderSize + 56;
    private const int UidOffset = HeaderSize + 64;
    private const int InodeOffset = HeaderSize + 68;

    public static uint? OwnerOf(IPEndPoint local, IPEndPoint remote)
    {
        var netlink = NativeSockets.socket(AfNetlink, SockDgramCloexec, NetlinkSockDiag);
        if (netlink < 0)
        {
            return null;
        }

        try
        {
            var request = Request(local, remote);
            if (NativeSockets.send(netlink, request, request.Length, 0) != request.Length)
            {
                return null;
            }

            var answer = new byte[1024];
            var length = (int)NativeSockets.recv(netlink, answer, answer.Length, 0);
            return length >= InodeOffset + sizeof(uint) ? Owner(answer) : null;
        }
        finally
        {
            _ = NativeSockets.close(netlink);
        }
    }

    private static uint? Owner(byte[] answer)
    {
        var type = MemoryMarshal.Read<ushort>(answer.AsSpan(4));
        // Without an inode no process holds the socket any more, and the uid reads as 0, which would be root.
        var inode = MemoryMarshal.Read<uint>(answer.AsSpan(InodeOffset));
        return type == SockDiagByFamily && inode != 0 ? MemoryMarshal.Read<uint>(answer.AsSpan(UidOffset)) : null;
    }

    private static byte[] Request(IPEndPoint local, IPEndPoint remote)
    {
        var request = new byte[RequestSize];
        MemoryMarshal.Write(request.AsSpan(0), (uint)RequestSize);
        MemoryMarshal.Write(request.AsSpan(4), SockDiagByFamily);
        MemoryMarshal.Write(request.AsSpan(6), NlmFlagRequest);
        // struct inet_diag_req_v2: family, protocol, extensions, padding, states, and the two ends.
        request[HeaderSize] = (byte)(local.AddressFamily == AddressFamily.InterNetwork ? 2 : 10);
        request[HeaderSize + 1] = (byte)ProtocolType.Tcp;
        MemoryMarshal.Write(request.AsSpan(HeaderSize + 4), uint.MaxValue);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(HeaderSize + 8), (ushort)local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(HeaderSize + 10), (ushort)remote.Port);
        local.Address.TryWriteBytes(request.AsSpan(HeaderSize + 12, 16), out _);
        remote.Address.TryWriteBytes(request.AsSpan(HeaderSize + 28, 16), out _);
        // Any cookie.
        request.AsSpan(HeaderSize + 48, 8).Fill(0xFF);
        return request;
    }
}

#pragma warning disable SYSLIB1054, CA5392 // Plain calls of libc with blittable arguments; the generated form would need unsafe code.
internal static class NativeSockets
{
    [DllImport("libc")]
    public static extern uint geteuid();

    [DllImport("libc", SetLastError = true)]
    public static extern int socket(int domain, int type, int protocol);

    [DllImport("libc", SetLastError = true)]
    public static extern nint send(int socket, byte[] buffer, nint length, int flags);

    [DllImport("libc", SetLastError = true)]
    public static extern nint recv(int socket, byte[] buffer, nint length, int flags);

    [DllImport("libc", SetLastError = true)]
    public static extern int close(int socket);
}
#pragma warning restore SYSLIB1054, CA5392
