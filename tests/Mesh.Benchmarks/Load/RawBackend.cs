using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Benchmarks.Load;

/// <summary>
/// The least of an HTTP server, one blocking thread a connection: <c>/</c> answers a few bytes, <c>/bytes/N</c> answers N,
/// and any other path is a readiness probe, judged by the benchmark.
/// </summary>
internal sealed class RawBackend : IDisposable
{
    private static readonly byte[] Small = Answer("200 OK", Encoding.ASCII.GetBytes("{\"hello\":\"from the backend of the benchmarks\"}\n"));
    private static readonly byte[] NotReady = Answer("503 Service Unavailable", []);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<string, bool> _isReady;
    private readonly Thread _accepting;
    private readonly byte[] _filler = new byte[4 * 1024 * 1024];

    public RawBackend(Func<string, bool>? isReady = null)
    {
        _isReady = isReady ?? (_ => true);
        _listener.Bind(new IPEndPoint(IPAddress.Any, 0));
        _listener.Listen(4096);
        _accepting = new Thread(Accept) { IsBackground = true };
        _accepting.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose()
    {
        _listener.Dispose();
        _accepting.Join();
    }

    private void Accept()
    {
        while (true)
        {
            try
            {
                var connection = _listener.Accept();
                connection.NoDelay = true;
                new Thread(() => Serve(connection), maxStackSize: 256 * 1024) { IsBackground = true }.Start();
            }
            catch (SocketException)
            {
                return; // the listener was closed
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Serve(Socket connection)
    {
        using var owned = connection;
        var buffer = new byte[4096];
        var length = 0;
        try
        {
            while (true)
            {
                var end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
                if (end >= 0)
                {
                    Respond(connection, Encoding.ASCII.GetString(buffer, 0, end).Split(' ')[1]);
                    buffer.AsSpan(end + 4, length - end - 4).CopyTo(buffer);
                    length -= end + 4;
                    continue;
                }

                var read = connection.Receive(buffer.AsSpan(length));
                if (read == 0)
                {
                    return;
                }

                length += read;
            }
        }
        catch (SocketException)
        {
            // The client is gone.
        }
    }

    private void Respond(Socket connection, string path)
    {
        if (path == "/")
        {
            connection.Send(Small);
        }
        else if (path.StartsWith("/bytes/", StringComparison.Ordinal))
        {
            var count = int.Parse(path.AsSpan(7), System.Globalization.CultureInfo.InvariantCulture);
            connection.Send(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {count}\r\n\r\n"));
            connection.Send(_filler.AsSpan(0, count));
        }
        else
        {
            connection.Send(_isReady(path) ? Small : NotReady);
        }
    }

    private static byte[] Answer(string status, byte[] body) =>
        [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
}
