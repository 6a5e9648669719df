using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Benchmarks.Load;

/// <summary>
/// A closed loop of GET requests over bare blocking sockets, one thread a connection: the least that a client can cost,
/// and the same for every server it is pointed at.
/// </summary>
internal sealed class HttpLoad(IPEndPoint server, string host, string path, int connections, bool keep)
{
    private const int BufferSize = 64 * 1024;

    private readonly byte[] _request = Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mesh-benchmarks\r\nAccept: */*\r\n{(keep ? "" : "Connection: close\r\n")}\r\n");

    private long _exchanges;

    /// <summary>Runs for this long; how many exchanges were completed.</summary>
    public long Run(TimeSpan duration)
    {
        _exchanges = 0;
        var end = System.Diagnostics.Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * System.Diagnostics.Stopwatch.Frequency);
        Exception? failure = null;
        var threads = Enumerable.Range(0, connections).Select(_ => new Thread(() =>
        {
            try
            {
                Exchange(end);
            }
            catch (Exception failed) when (failed is SocketException or InvalidOperationException)
            {
                failure = failed;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return failure is null ? _exchanges : throw new InvalidOperationException($"The load on {server} failed: {failure.Message}", failure);
    }

    private void Exchange(long end)
    {
        var buffer = new byte[BufferSize];
        var done = 0;
        Socket? socket = null;
        try
        {
            while (System.Diagnostics.Stopwatch.GetTimestamp() < end)
            {
                socket ??= Connect();
                socket.Send(_request);
                ReadResponse(socket, buffer);
                done++;
                if (!keep)
                {
                    socket.Dispose();
                    socket = null;
                }
            }
        }
        finally
        {
            socket?.Dispose();
            Interlocked.Add(ref _exchanges, done);
        }
    }

    private Socket Connect()
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(server);
        return socket;
    }

    /// <summary>Reads one response that has a Content-Length.</summary>
    private static void ReadResponse(Socket socket, byte[] buffer)
    {
        var length = 0;
        int head;
        while ((head = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            length += Receive(socket, buffer.AsSpan(length));
        }

        var text = Encoding.ASCII.GetString(buffer, 0, head);
        if (!text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(text.Split('\r')[0]);
        }

        var field = text.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        var value = text.AsSpan(field + 16);
        var line = value.IndexOf('\r');
        var body = int.Parse(line < 0 ? value : value[..line], System.Globalization.CultureInfo.InvariantCulture);
        for (var rest = body - (length - head - 4); rest > 0;)
        {
            rest -= Receive(socket, buffer);
        }
    }

    private static int Receive(Socket socket, Span<byte> into) =>
        socket.Receive(into) is > 0 and var count ? count : throw new InvalidOperationException("the connection was closed within a response");
}
