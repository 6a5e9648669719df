using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Mesh.Core.Pods;
using Mesh.Core.Services;

namespace Mesh.Agent.Http;

/// <summary>Whose sockets take what is sent to an address and port of this machine, as the kernel lists them, proc(5).</summary>
internal sealed class PortOwners
{
    private const int LocalColumn = 1;
    private const int StateColumn = 3;
    private const int UidColumn = 7;
    private const string Listening = "0A";
    private const string Unconnected = "07"; // of UDP

    private readonly List<(TransportProtocol Protocol, IPEndPoint Place, uint User)> _sockets = [];

    private PortOwners()
    {
    }

    /// <summary>As it is now. A list that cannot be read has nobody.</summary>
    public static PortOwners Read()
    {
        var owners = new PortOwners();
        foreach (var family in new[] { "", "6" })
        {
            owners.Add($"/proc/net/tcp{family}", TransportProtocol.Tcp, Listening);
            owners.Add($"/proc/net/udp{family}", TransportProtocol.Udp, Unconnected);
        }

        return owners;
    }

    /// <summary>None when nobody listens there.</summary>
    public IReadOnlyCollection<uint> At(IPAddress address, ContainerPort port)
    {
        var there = _sockets.Where(socket => socket.Protocol == port.Protocol && socket.Place.Port == port.Number).ToList();
        // Who is bound to the address itself comes before who is bound to every address of its family, and those before both families'.
        foreach (var place in Places(address))
        {
            if (there.Where(socket => socket.Place.Address.Equals(place)).Select(socket => socket.User).ToHashSet() is { Count: > 0 } users)
            {
                return users;
            }
        }

        return [];
    }

    /// <summary>Who would be there at an address to which nobody is bound yet.</summary>
    public IReadOnlyCollection<uint> AtEvery(ContainerPort port) => At(IPAddress.Any, port);

    private static IEnumerable<IPAddress> Places(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork
        ? [address, address.MapToIPv6(), IPAddress.Any, IPAddress.IPv6Any]
        : [address, IPAddress.IPv6Any];

    private void Add(string path, TransportProtocol protocol, string state)
    {
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > UidColumn } columns && columns[StateColumn] == state)
                {
                    _sockets.Add((protocol, Place(columns[LocalColumn]), uint.Parse(columns[UidColumn], CultureInfo.InvariantCulture)));
                }
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Nobody is known there, so nobody is let in for it.
        }
    }

    /// <summary>As the kernel writes it: words of 32 bits in the machine's own order, then the port.</summary>
    private static IPEndPoint Place(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var words = new uint[colon / 8];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = uint.Parse(text.AsSpan(i * 8, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        return new IPEndPoint(new IPAddress(MemoryMarshal.AsBytes(words.AsSpan())), int.Parse(text.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
