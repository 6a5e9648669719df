using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Mesh.DataPlane.L7;

/// <summary>
/// Accepts whoever has connected before a listener is closed: to a client in the kernel's queue the connection is open, and
/// Kestrel's own transport closes the listener over it, which resets it. For one listener.
/// </summary>
/// <param name="listening">The socket that <paramref name="inner"/> listens with.</param>
internal sealed class EmptiedQueue(IConnectionListenerFactory inner, Func<Socket?> listening, TimeProvider time) : IConnectionListenerFactory
{
    /// <summary>Of a queue that nobody is accepted from: who accepts has no descriptor left.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TimeProvider Time => time;

    /// <summary>The address is free.</summary>
    public Task Closed => _closed.Task;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await inner.BindAsync(endpoint, cancellationToken), this);

    private bool SomebodyWaits()
    {
        try
        {
            return listening() is { } socket && socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private sealed class Listener(IConnectionListener inner, EmptiedQueue queue) : IConnectionListener
    {
        /// <summary>Longer than a queue: whoever goes on connecting is not waited for.</summary>
        private const int Most = 1024;

        private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isClosing;
        private int _left = Most;

        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (_isClosing && (_left-- <= 0 || !queue.SomebodyWaits()))
            {
                _empty.TrySetResult();
                return null;
            }

            return await inner.AcceptAsync(cancellationToken);
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _isClosing = true;
            if (queue.SomebodyWaits())
            {
                // The accept that is pending takes the first, and Kestrel asks on until it is told that there are no more.
                await _empty.Task.WaitAsync(LongestWait, queue.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await inner.UnbindAsync(cancellationToken);
            queue._closed.TrySetResult();
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
