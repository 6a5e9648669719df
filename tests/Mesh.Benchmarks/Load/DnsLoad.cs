using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Benchmarks.Load;

/// <summary>Asks one name over UDP (RFC 1035 §4.1): one question at a time, or a closed loop of several askers.</summary>
internal sealed class DnsLoad : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 2000 };
    private readonly byte[] _query;
    private readonly byte[] _answer = new byte[4096];
    private ushort _id;

    public DnsLoad(IPEndPoint server, string name)
    {
        _socket.Connect(server);
        _query = Query(name);
    }

    /// <summary>How many answer records the name has now.</summary>
    public int Ask()
    {
        _id++;
        _query[0] = (byte)(_id >> 8);
        _query[1] = (byte)_id;
        _socket.Send(_query);
        do
        {
            if (_socket.Receive(_answer) < 12)
            {
                throw new InvalidOperationException("The DNS server answered less than a header.");
            }
        }
        while (_answer[0] != _query[0] || _answer[1] != _query[1]);
        return (_answer[6] << 8) | _answer[7];
    }

    /// <summary>Several askers for this long; how many answers came, each of which had a record.</summary>
    public static long Run(IPEndPoint server, string name, int askers, TimeSpan duration)
    {
        var end = System.Diagnostics.Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * System.Diagnostics.Stopwatch.Frequency);
        var answers = 0L;
        var empty = 0L;
        var threads = Enumerable.Range(0, askers).Select(_ => new Thread(() =>
        {
            using var asker = new DnsLoad(server, name);
            var count = 0;
            while (System.Diagnostics.Stopwatch.GetTimestamp() < end)
            {
                if (asker.Ask() == 0)
                {
                    Interlocked.Increment(ref empty);
                }

                count++;
            }

            Interlocked.Add(ref answers, count);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return empty == 0 ? answers : throw new InvalidOperationException($"{empty} answers of {server} for {name} were empty.");
    }

    public void Dispose() => _socket.Dispose();

    private static byte[] Query(string name)
    {
        var bytes = new List<byte> { 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.'))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        bytes.AddRange([0, 0, 1, 0, 1]);
        return [.. bytes];
    }
}
