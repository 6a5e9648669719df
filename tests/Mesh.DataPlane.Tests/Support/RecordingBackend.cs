using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>An endpoint written by hand: it records each byte it gets, and answers as the test says.</summary>
internal sealed class RecordingBackend : IAsyncDisposable
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TcpListener _listener;
    private readonly Func<BackendConnection, Task> _serve;
    private readonly ConcurrentBag<BackendConnection> _connections = [];
    private readonly Channel<BackendConnection> _accepted = Channel.CreateBounded<BackendConnection>(1000);
    private readonly ConcurrentBag<Task> _tasks = [];
    private readonly CancellationTokenSource _stop = new();

    public RecordingBackend(Func<BackendConnection, Task>? serve = null)
    {
        _serve = serve ?? (connection => connection.AnswerEachAsync(Ok));
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start();
        Address = (IPEndPoint)_listener.LocalEndpoint;
        _tasks.Add(AcceptAsync());
    }

    public IPEndPoint Address { get; }

    public SomePod Pod(string name, bool ready = true) => new(name, Address, ready);

    public IReadOnlyCollection<BackendConnection> Connections => _connections;

    /// <summary>Everything that was received, on all connections.</summary>
    public string Received => string.Concat(_connections.Select(connection => connection.Received));

    /// <summary>The requests that a correct HTTP/1.1 server reads from those bytes.</summary>
    public IReadOnlyList<RecordedRequest> Requests => [.. _connections.SelectMany(connection => RecordedRequest.Parse(connection.Received))];

    public async Task<BackendConnection> AcceptedAsync(CancellationToken stop) => await _accepted.Reader.ReadAsync(stop);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (var connection in _connections)
        {
            connection.Close();
        }

        await Task.WhenAll(_tasks);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var connection = new BackendConnection(await _listener.AcceptSocketAsync(_stop.Token));
                _connections.Add(connection);
                _accepted.Writer.TryWrite(connection);
                _tasks.Add(ServeAsync(connection));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // Disposed; between two accepts the listener says that it is not listening.
        }
    }

    private async Task ServeAsync(BackendConnection connection)
    {
        try
        {
            await _serve(connection);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The other side reset it, or the test is over.
        }
        finally
        {
            connection.SetEnded();
        }
    }
}

/// <summary>One connection that the data plane opened to an endpoint.</summary>
internal sealed class BackendConnection(Socket socket)
{
    private readonly StringBuilder _received = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _buffer = new byte[64 * 1024];

    public string Received
    {
        get
        {
            lock (_received)
            {
                return _received.ToString();
            }
        }
    }

    /// <summary>Whether the peer ended its side with FIN; false while it is open or after a reset.</summary>
    public bool SawEnd { get; private set; }

    public bool SawReset { get; private set; }

    public Task Ended => _ended.Task;

    public Socket Socket => socket;

    public void SetEnded() => _ended.TrySetResult();

    public void Close() => socket.Dispose();

    public void Reset() => socket.Close(timeout: 0);

    public void Finish() => socket.Shutdown(SocketShutdown.Send);

    public async Task SendAsync(string latin1) => await socket.SendAsync(Encoding.Latin1.GetBytes(latin1));

    /// <summary>False at the end of the peer's bytes.</summary>
    public async Task<bool> ReceiveAsync()
    {
        try
        {
            var read = await socket.ReceiveAsync(_buffer);
            lock (_received)
            {
                _received.Append(Encoding.Latin1.GetString(_buffer, 0, read));
            }

            SawEnd = read == 0;
            return read > 0;
        }
        catch (SocketException)
        {
            SawReset = true;
            throw;
        }
    }

    public async Task ReceiveUntilAsync(string text)
    {
        while (!Received.Contains(text, StringComparison.Ordinal) && await ReceiveAsync())
        {
        }
    }

    /// <summary>Answers each whole request with the same bytes.</summary>
    public async Task AnswerEachAsync(string answer)
    {
        var answered = 0;
        while (await ReceiveAsync())
        {
            for (; answered < RecordedRequest.Parse(Received).Count; answered++)
            {
                await SendAsync(answer);
            }
        }
    }
}
