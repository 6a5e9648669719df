using System.Net.Sockets;
using Mesh.Core.Descriptors;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L4;

/// <summary>Listens on one address and port of one Service, and hands each client to a connection of its own.</summary>
internal sealed class PortListener : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan PauseWhenOutOfSockets = TimeSpan.FromMilliseconds(50);

    // Doubled up to the longest: places come and go at first, and later each of thousands of ports looks for one.
    private static readonly TimeSpan ShortestWhenFull = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan LongestWhenFull = TimeSpan.FromMilliseconds(240);

    private readonly Socket _socket;
    private readonly NamespacedName _service;
    private readonly Frontend _frontend;
    private readonly L4Context _context;
    private readonly DescriptorShare _share;
    private readonly CancellationTokenSource _stop = new();
    private Task _accepting = Task.CompletedTask;
    private TimeSpan _full; // zero while it has room
    private int _isDisposed;

    private PortListener(Socket socket, NamespacedName service, Frontend frontend, L4Context context, DescriptorShare share)
    {
        _share = share;
        _socket = socket;
        _service = service;
        _frontend = frontend;
        _context = context;
    }

    /// <summary>Takes the place, and accepts nobody yet.</summary>
    /// <param name="share">One of it is the listener's, until it is disposed.</param>
    /// <exception cref="SocketException">The port is taken or not permitted.</exception>
    public static PortListener Bind(Frontend frontend, NamespacedName service, L4Context context, DescriptorShare share)
    {
        var socket = new Socket(frontend.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            TcpKeepAlive.Enable(socket);
            socket.Bind(frontend.Address);
            return new PortListener(socket, service, frontend, context, share);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <exception cref="SocketException">Another listens there.</exception>
    public void Listen()
    {
        _socket.Listen(_context.Options.Backlog);
        _accepting = _context.Loops.RunAsync("port of a Service", AcceptAsync, _stop.Token);
    }

    /// <summary>Stops listening; connections that were accepted go on, and who has connected before is accepted.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        AcceptWaiting();
        Dispose();
    }

    /// <summary>Of a listener that never listened.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _stop.Cancel();
            _socket.Dispose();
            _stop.Dispose();
            _share.Give();
        }
    }

    private async Task AcceptAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (!_context.Connections.HasRoom(_service))
                {
                    await PauseAsync(NextWhenFull()); // whoever comes waits in the backlog
                    continue;
                }

                _full = TimeSpan.Zero;
                Start(await _socket.AcceptAsync(stop));
            }
            catch (Exception e) when (stop.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // ECONNABORTED: that client is gone. EMFILE: no socket left; clients wait in the backlog meanwhile.
                _context.Seldom.AcceptFailed(_service, _frontend.Address, e.Message);
                await PauseAsync(PauseWhenOutOfSockets);
            }
        }
    }

    /// <summary>To those in the kernel's queue the connection is open: closing the listener would reset it.</summary>
    private void AcceptWaiting()
    {
        try
        {
            _socket.Blocking = false;
            for (var left = _context.Options.Backlog; left > 0 && _context.Connections.HasRoom(_service); left--)
            {
                Start(_socket.Accept());
            }
        }
        catch (SocketException)
        {
            // Nobody waits any more (EAGAIN), or no socket is left for whoever does.
        }
    }

    private void Start(Socket client)
    {
        if (!_context.Connections.TryStart(new ServiceConnection(client, _service, _frontend, _context)))
        {
            client.Close(timeout: 0); // another port of the Service was faster
            DataPlaneMetrics.ConnectionRefused(_service);
        }
    }

    private TimeSpan NextWhenFull()
    {
        if (_full == TimeSpan.Zero)
        {
            DataPlaneMetrics.ConnectionRefused(_service);
            return _full = ShortestWhenFull;
        }

        if (_full < LongestWhenFull)
        {
            _full *= 2;
            if (_full >= LongestWhenFull)
            {
                // Said when it lasts: at its limit a busy Service is full and not full many times a second.
                _context.Seldom.TooManyConnections(_service, _frontend.Address);
            }
        }

        return _full;
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, _context.Time, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }
}
