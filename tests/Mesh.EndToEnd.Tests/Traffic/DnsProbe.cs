using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>One A query over UDP, made by hand (RFC 1035 §4.1).</summary>
internal static class DnsProbe
{
    /// <exception cref="IOException">The answer is none, or not one address.</exception>
    public static async Task<IPAddress> ResolveAsync(IPEndPoint server, string name, CancellationToken stop)
    {
        using var client = new UdpClient();
        client.Connect(server);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        await client.SendAsync(Query(name), limit.Token);
        var answer = (await client.ReceiveAsync(limit.Token)).Buffer;
        var code = answer[3] & 0xF;
        return code == 0 && answer[7] == 1 ? new IPAddress(answer.AsSpan(answer.Length - 4)) : throw new IOException($"RCODE {code}, {answer[7]} answers");
    }

    public static byte[] Query(string name)
    {
        using var query = new MemoryStream();
        query.Write([0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
        foreach (var label in name.Split('.'))
        {
            query.WriteByte((byte)label.Length);
            query.Write(Encoding.ASCII.GetBytes(label));
        }

        query.Write([0, 0, 1, 0, 1]);
        return query.ToArray();
    }
}
