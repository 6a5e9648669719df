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

    /// <summary>False when one of the kernel's lists could not be read: then it is not known who listens where.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>As it is now.</summary>
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
            Span<Range> columns = stackalloc Range[UidColumn + 2]; // the last one is the rest
            foreach (var text in File.ReadLines(path).Skip(1))
            {
                var line = text.AsSpan();
                if (line.Split(columns, ' ', StringSplitOptions.RemoveEmptyEntries) <= UidColumn)
                {
                    continue;
                }

                if (line[columns[StateColumn]].SequenceEqual(state))
                {
                    _sockets.Add((protocol, Place(line[columns[LocalColumn]]), uint.Parse(line[columns[UidColumn]], CultureInfo.InvariantCulture)));
                }
                else if (protocol == TransportProtocol.Tcp)
                {
                    return; // those that listen come first: the streams of ten thousand registrations are not read for each
                }
            }
        }
        catch (FileNotFoundException)
        {
            // The machine has no IPv6.
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            IsWhole = false;
        }
    }

    /// <summary>As the kernel writes it: words of 32 bits in the machine's own order, then the port.</summary>
    private static IPEndPoint Place(ReadOnlySpan<char> text)
    {
        var colon = text.IndexOf(':');
        var words = new uint[colon / 8];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = uint.Parse(text.Slice(i * 8, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        return new IPEndPoint(new IPAddress(MemoryMarshal.AsBytes(words.AsSpan())), int.Parse(text[(colon + 1)..], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
