using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Demo;

/// <summary>Asks a DNS server for the A records of one name, over UDP.</summary>
internal static class DnsLookup
{
    private const int HeaderLength = 12;
    private const int AnswerLength = HeaderLength + 4; // pointer, type, class, time to live, length; then four bytes
    private const int Alias = 5;
    private const int Pointer = 0xC0; // the rest of a name stands elsewhere (RFC 1035 §4.1.4)
    private const int Tries = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Null when there is no such address, or no answer.</summary>
    public static async Task<IPAddress?> AddressOfAsync(string name, IPEndPoint server, CancellationToken stop) =>
        await AskAsync(name, server, stop) is { } answer ? Address(answer.Reply, answer.QuestionEnd) : null;

    /// <summary>The name that this one stands for (CNAME); null when it stands for none.</summary>
    public static async Task<string?> AliasOfAsync(string name, IPEndPoint server, CancellationToken stop) =>
        await AskAsync(name, server, stop) is { } answer && HasAnswer(answer.Reply, answer.QuestionEnd) && answer.Reply[answer.QuestionEnd + 3] == Alias
            ? NameAt(answer.Reply, answer.QuestionEnd + HeaderLength)
            : null;

    private static async Task<(byte[] Reply, int QuestionEnd)?> AskAsync(string name, IPEndPoint server, CancellationToken stop)
    {
        using var udp = new UdpClient();
        udp.Connect(server);
        for (var tries = 1; tries <= Tries; tries++)
        {
            var query = Query(name, (byte)tries);
            await udp.SendAsync(query, stop);
            if (await ReplyAsync(udp, query, stop) is { } reply)
            {
                return (reply, query.Length);
            }
        }

        return null;
    }

    private static async Task<byte[]?> ReplyAsync(UdpClient udp, byte[] query, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        try
        {
            while (true)
            {
                var reply = (await udp.ReceiveAsync(limit.Token)).Buffer;
                if (reply.Length >= query.Length && reply[0] == query[0] && reply[1] == query[1])
                {
                    return reply;
                }
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null; // UDP may lose it
        }
    }

    /// <summary>The answer to one name follows the question.</summary>
    private static bool HasAnswer(byte[] reply, int questionEnd) =>
        ((reply[6] << 8) | reply[7]) != 0 && (reply[3] & 0x0F) == 0 && reply.Length >= questionEnd + AnswerLength;

    private static IPAddress? Address(byte[] reply, int questionEnd) =>
        HasAnswer(reply, questionEnd) ? new IPAddress(reply.AsSpan(questionEnd + HeaderLength, 4)) : null;

    private static string? NameAt(byte[] reply, int at)
    {
        var labels = new List<string>();
        for (var length = (int)reply[at]; length != 0; length = reply[at])
        {
            if ((length & Pointer) == Pointer || at + 1 + length >= reply.Length)
            {
                return null; // what is outside the cluster shares nothing with the question
            }

            labels.Add(Encoding.ASCII.GetString(reply, at + 1, length));
            at += 1 + length;
        }

        return string.Join('.', labels);
    }

    private static byte[] Query(string name, byte id)
    {
        var bytes = new List<byte> { 0x6D, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.'))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        bytes.AddRange([0, 0, 1, 0, 1]);
        return [.. bytes];
    }
}
