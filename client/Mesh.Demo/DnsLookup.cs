using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Demo;

/// <summary>Asks a DNS server for the A record of one name, over UDP.</summary>
internal static class DnsLookup
{
    private const int HeaderLength = 12;

    public static async Task<IPAddress?> AddressOfAsync(string name, IPEndPoint server, CancellationToken stop)
    {
        using var udp = new UdpClient();
        udp.Connect(server);
        var query = Query(name);
        await udp.SendAsync(query, stop);
        var reply = (await udp.ReceiveAsync(stop)).Buffer;
        var answers = (reply[6] << 8) | reply[7];

        // The answer to one name follows the question: a pointer to it, type, class, time to live, length, four bytes.
        return answers == 0 || (reply[3] & 0x0F) != 0 ? null : new IPAddress(reply.AsSpan(query.Length + HeaderLength, 4));
    }

    private static byte[] Query(string name)
    {
        var bytes = new List<byte> { 0x6D, 0x65, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.'))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        bytes.AddRange([0, 0, 1, 0, 1]);
        return [.. bytes];
    }
}
