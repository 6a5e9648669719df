using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Mesh.Agent.Http;

/// <summary>The kernel's list of TCP sockets, proc(5): slower than <see cref="SocketDiagnosis"/>, and always there.</summary>
internal static class SocketList
{
    private const int LocalColumn = 1;
    private const int RemoteColumn = 2;
    private const int UidColumn = 7;
    private const int InodeColumn = 9;

    public static uint? OwnerOf(IPEndPoint local, IPEndPoint remote)
    {
        if (local.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return Find("/proc/net/tcp6", local, remote);
        }

        // A socket of both families that speaks IPv4 stands among those of IPv6.
        return Find("/proc/net/tcp", local, remote) ?? Find("/proc/net/tcp6", Mapped(local), Mapped(remote));
    }

    private static uint? Find(string path, IPEndPoint local, IPEndPoint remote)
    {
        try
        {
            var (own, other) = (Text(local), Text(remote));
            foreach (var line in File.ReadLines(path))
            {
                if (line.Contains(own, StringComparison.Ordinal)
                    && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > InodeColumn } columns
                    && columns[LocalColumn] == own
                    && columns[RemoteColumn] == other
                    && columns[InodeColumn] != "0") // no process holds it any more
                {
                    return uint.Parse(columns[UidColumn], CultureInfo.InvariantCulture);
                }
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Not told: refused by the caller.
        }

        return null;
    }

    /// <summary>As the kernel writes it: words of 32 bits in the machine's own order, then the port.</summary>
    private static string Text(IPEndPoint endpoint)
    {
        var words = MemoryMarshal.Cast<byte, uint>(endpoint.Address.GetAddressBytes());
        return string.Concat(words.ToArray().Select(word => word.ToString("X8", CultureInfo.InvariantCulture)))
            + ":" + endpoint.Port.ToString("X4", CultureInfo.InvariantCulture);
    }

    private static IPEndPoint Mapped(IPEndPoint endpoint) => new(endpoint.Address.MapToIPv6(), endpoint.Port);
}
