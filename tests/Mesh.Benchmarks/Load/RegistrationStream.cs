using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Benchmarks.Load;

/// <summary>One registration held open over a bare socket, as an application holds it: two tasks and a small buffer, so that 10,000 fit in one client.</summary>
internal sealed class RegistrationStream : IDisposable
{
    private readonly Socket _socket;
    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stored = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private bool _isClosed;

    private RegistrationStream(Socket socket)
    {
        _socket = socket;
        _reading = ReadAsync();
    }

    /// <summary>The node has answered with the Pod and its uid: it is in the node's hands.</summary>
    public Task Accepted => _accepted.Task;

    /// <summary>The stream has shown the Pod with a resourceVersion: the control plane has committed it.</summary>
    public Task Stored => _stored.Task;

    public static async Task<RegistrationStream> OpenAsync(IPEndPoint node, string name, string body, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(node, stop);
        var request = $"PUT /v1/namespaces/default/pods/{name} HTTP/1.1\r\nHost: {node}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}";
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), stop);
        return new RegistrationStream(socket);
    }

    /// <summary>As the kernel does it for a process that was killed.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, true))
        {
            return;
        }

        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public async Task EndAsync()
    {
        Dispose();
        await _reading;
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[2048];
        // Kept from one read to the next, as a word may be cut by two packets.
        var kept = 0;
        try
        {
            while (true)
            {
                var read = await _socket.ReceiveAsync(buffer.AsMemory(kept), SocketFlags.None);
                if (read == 0)
                {
                    throw new InvalidOperationException("the node ended the stream");
                }

                var length = kept + read;
                Note(buffer.AsSpan(0, length));
                kept = Math.Min(length, 64);
                buffer.AsSpan(length - kept, kept).CopyTo(buffer);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            var failure = new InvalidOperationException($"The registration ended: {over.Message}", over);
            _accepted.TrySetException(failure);
            _stored.TrySetException(failure);
        }
    }

    private void Note(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf("HTTP/1.1 "u8) is >= 0 and var status && text[status + 9] != (byte)'2')
        {
            throw new InvalidOperationException(Encoding.UTF8.GetString(text));
        }

        if (text.IndexOf("\"uid\":"u8) >= 0)
        {
            _accepted.TrySetResult();
        }

        if (text.IndexOf("\"resourceVersion\":"u8) >= 0)
        {
            _stored.TrySetResult();
        }
    }
}
