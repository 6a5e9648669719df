using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Agent.Tests;

/// <summary>A server that counts what it is asked and answers when the test says so.</summary>
internal sealed class CountingServer : IDisposable
{
    private readonly TcpListener _listener;
    private ImmutableList<string> _requests = [];

    public CountingServer(int port = 0)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public ImmutableList<string> Requests => _requests;

    /// <summary>Without a request.</summary>
    public Task<Socket> AcceptOnlyAsync(CancellationToken stop) => _listener.AcceptSocketAsync(stop).AsTask();

    public async Task<Socket> AcceptAsync(CancellationToken stop)
    {
        var socket = await _listener.AcceptSocketAsync(stop);
        var buffer = new byte[4096];
        var length = 0;
        while (!Encoding.ASCII.GetString(buffer, 0, length).EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            length += await socket.ReceiveAsync(buffer.AsMemory(length), stop);
        }

        ImmutableInterlocked.Update(ref _requests, list => list.Add(Encoding.ASCII.GetString(buffer, 0, length)));
        return socket;
    }

    public Task AnswerAsync(int status, CancellationToken stop) => AnswerAsync(status, "http://169.254.169.254/", stop);

    public async Task AnswerAsync(int status, string location, CancellationToken stop)
    {
        using var socket = await AcceptAsync(stop);
        var answer = $"HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(answer), stop);
        socket.Shutdown(SocketShutdown.Send);
    }

    public void Dispose() => _listener.Dispose();
}
