using System.Net;
using System.Net.Sockets;
using Mesh.Core.Names;

namespace Mesh.DataPlane.L4;

/// <summary>Listens on one address and port of one Service, and hands each client to a connection of its own.</summary>
internal sealed class PortListener : IAsyncDisposable
{
    private static readonly TimeSpan PauseWhenOutOfSockets = TimeSpan.FromMilliseconds(50);

    private readonly Socket _socket;
    private readonly NamespacedName _service;
    private readonly int _port;
    private readonly L4Context _context;
    private readonly CancellationTokenSource _stop = new();
    private Task _accepting = Task.CompletedTask;
    private bool _isFailing;

    private PortListener(Socket socket, NamespacedName service, int port, L4Context context)
    {
        _socket = socket;
        _service = service;
        _port = port;
        _context = context;
    }

    /// <exception cref="SocketException">The port is taken or not permitted.</exception>
    public static PortListener Open(IPEndPoint address, NamespacedName service, L4Context context)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            TcpKeepAlive.Enable(socket);
            socket.Bind(address);
            socket.Listen(context.Options.Backlog);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var listener = new PortListener(socket, service, address.Port, context);
        listener._accepting = listener.AcceptAsync();
        return listener;
    }

    /// <summary>Stops listening; connections that were accepted go on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Start(await _socket.AcceptAsync(_stop.Token));
                _isFailing = false;
            }
            catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // ECONNABORTED: that client is gone. EMFILE: no socket left; clients wait in the backlog meanwhile.
                if (!_isFailing)
                {
                    _isFailing = true; // said once, not twenty times a second
                    DataPlaneLog.AcceptFailed(_context.Log, _service, _port, e.Message);
                }

                await PauseAsync();
            }
        }
    }

    private void Start(Socket client)
    {
        if (!_context.Connections.TryStart(new ServiceConnection(client, _service, _port, _context)))
        {
            client.Close(timeout: 0); // a reset, at once: better than a client that waits
            DataPlaneMetrics.ConnectionRefused(_service);
            DataPlaneLog.TooManyConnections(_context.Log, _service, _port, _context.Options.MaxConnections);
        }
    }

    private async Task PauseAsync()
    {
        try
        {
            await Task.Delay(PauseWhenOutOfSockets, _context.Time, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }
}
