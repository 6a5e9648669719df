using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Mesh.DataPlane.L7;

/// <summary>
/// Says when a client is gone. Its FIN alone does not: it sends no more, and may well wait for its answer (RFC 9293
/// §3.6), so it counts as gone only when it has taken no byte of one for a while. A client that went away altogether
/// looks the same until it is sent something, so that while is short: its endpoint should hear of it soon.
/// </summary>
#pragma warning disable CA1001 // The source has no timer and nobody waits on its handle: a disposal would free nothing, and race with a late cancel.
internal sealed class ClientPresence : IThreadPoolWorkItem, IDisposable
#pragma warning restore CA1001
{
    private const int Tcp = 6; // IPPROTO_TCP
    private const int TcpInfo = 11; // TCP_INFO
    private const byte CloseWait = 8; // TCP_CLOSE_WAIT
    private const int LastDataSent = 44; // tcpi_last_data_sent in struct tcp_info, ms

    private readonly CancellationTokenSource _gone = new();
    private readonly Socket? _socket;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly CancellationTokenRegistration _closed;
    private ITimer? _timer;

    public ClientPresence(ConnectionContext connection, TimeSpan patience, TimeProvider time)
    {
        _socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
        _patience = patience;
        _time = time;
        _closed = connection.ConnectionClosed.UnsafeRegister(static presence => ((ClientPresence)presence!).OnClosed(), this);
    }

    public CancellationToken Gone => _gone.Token;

    /// <summary>What the client sent cannot become whole any more: there is nothing to wait for.</summary>
    public void Leave() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false); // the caller is in the middle of a read

    public void Execute() => _gone.Cancel();

    public void Dispose()
    {
        _closed.Dispose(); // waits for the callback, so that no timer is made after this
        _timer?.Dispose();
    }

    /// <summary>The client ended its side, or the connection is no more.</summary>
    private void OnClosed()
    {
        if (IsHalfClosed(out _))
        {
            _timer = _time.CreateTimer(static presence => ((ClientPresence)presence!).Look(), this, _patience, _patience);
        }
        else
        {
            _gone.Cancel();
        }
    }

    private void Look()
    {
        if (!IsHalfClosed(out var silent) || silent >= _patience)
        {
            _gone.Cancel();
        }
    }

    private bool IsHalfClosed(out TimeSpan silent)
    {
        Span<byte> info = stackalloc byte[LastDataSent + sizeof(uint)];
        silent = TimeSpan.Zero;
        try
        {
            if (_socket?.GetRawSocketOption(Tcp, TcpInfo, info) != info.Length || info[0] != CloseWait)
            {
                return false;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }

        silent = TimeSpan.FromMilliseconds(MemoryMarshal.Read<uint>(info[LastDataSent..]));
        return true;
    }
}
