using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Mesh.Agent.Http;

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
    private const ushort NlmsgError = 2;
    private const int NoSuchSocket = -2; // ENOENT
    private const int HeaderSize = 16;
    private const int RequestSize = HeaderSize + 56;
    private const int UidOffset = HeaderSize + 64;
    private const int InodeOffset = HeaderSize + 68;

    /// <summary>False when the kernel does not answer; a null owner is an answer: no process of this machine has that socket.</summary>
    public static bool TryFindOwner(IPEndPoint local, IPEndPoint remote, out uint? owner)
    {
        owner = null;
        var netlink = NativeSockets.socket(AfNetlink, SockDgramCloexec, NetlinkSockDiag);
        if (netlink < 0)
        {
            return false;
        }

        try
        {
            var request = Request(local, remote);
            if (NativeSockets.send(netlink, request, request.Length, 0) != request.Length)
            {
                return false;
            }

            var answer = new byte[1024];
            return TryRead(answer.AsSpan(0, Math.Max(0, (int)NativeSockets.recv(netlink, answer, answer.Length, 0))), out owner);
        }
        finally
        {
            _ = NativeSockets.close(netlink);
        }
    }

    private static bool TryRead(ReadOnlySpan<byte> answer, out uint? owner)
    {
        owner = null;
        if (answer.Length < HeaderSize + sizeof(int))
        {
            return false;
        }

        var type = MemoryMarshal.Read<ushort>(answer[4..]);
        if (type != SockDiagByFamily || answer.Length < InodeOffset + sizeof(uint))
        {
            return type == NlmsgError && MemoryMarshal.Read<int>(answer[HeaderSize..]) == NoSuchSocket;
        }

        // Without an inode no process holds the socket any more, and the uid reads as 0, which would be root.
        owner = MemoryMarshal.Read<uint>(answer[InodeOffset..]) == 0 ? null : MemoryMarshal.Read<uint>(answer[UidOffset..]);
        return true;
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
