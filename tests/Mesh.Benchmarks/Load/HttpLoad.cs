using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Mesh.Benchmarks.Load;

/// <summary>
/// A closed loop of GET requests over bare blocking sockets, one thread a connection: the least that a client can cost,
/// and the same for every server it is pointed at.
/// </summary>
/// <param name="tls">Whether it is spoken inside TLS, each connection with a whole handshake.</param>
internal sealed class HttpLoad(IPEndPoint server, string host, string path, int connections, bool keep, bool tls = false)
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
            catch (Exception failed) when (failed is SocketException or InvalidOperationException or IOException or AuthenticationException)
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
        Connection? socket = null;
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

    private Connection Connect()
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(server);
        return new Connection(socket, tls ? Secure(socket) : null);
    }

    private SslStream Secure(Socket socket)
    {
#pragma warning disable CA5359 // Whose certificate it is, is no part of the measurement.
        var stream = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
#pragma warning restore CA5359
        stream.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = host, AllowTlsResume = false, EnabledSslProtocols = SslProtocols.Tls13 });
        return stream;
    }

    /// <summary>Reads one response that has a Content-Length.</summary>
    private static void ReadResponse(Connection socket, byte[] buffer)
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

    private static int Receive(Connection socket, Span<byte> into) =>
        socket.Receive(into) is > 0 and var count ? count : throw new InvalidOperationException("the connection was closed within a response");

    private sealed class Connection(Socket socket, SslStream? secure) : IDisposable
    {
        public void Send(byte[] bytes)
        {
            if (secure is null)
            {
                socket.Send(bytes);
            }
            else
            {
                secure.Write(bytes);
            }
        }

        public int Receive(Span<byte> into) => secure is null ? socket.Receive(into) : secure.Read(into);

        public void Dispose()
        {
            secure?.Dispose();
            socket.Dispose();
        }
    }
}
