using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client.AspNetCore;

/// <summary>
/// Binds what Kestrel is configured to listen on at the address that the Pod was allocated: by URL, by configuration or in
/// code, as each of them comes down to an endpoint that is bound here. Without such an address it leaves binding to others.
/// </summary>
internal sealed class AllocatedTransport(IOptions<SocketTransportOptions> options, ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _sockets = new(options, loggers);
    private readonly Dictionary<int, IPAddress> _bound = [];

    /// <summary>Set before the server binds.</summary>
    public IPAddress? Address { get; set; }

    /// <summary>The ports that were bound there.</summary>
    public HashSet<int> Ports { get; } = [];

    public bool CanBind(EndPoint endpoint) => Address is not null && endpoint is IPEndPoint;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var configured = (IPEndPoint)endpoint;
        var at = new IPEndPoint(Address!, configured.Port);
        if (configured.Port != 0 && !_bound.TryAdd(configured.Port, configured.Address) && !_bound[configured.Port].Equals(configured.Address))
        {
            // localhost is 127.0.0.1 and ::1, which come down to the same one here; the first of them serves it.
            return new SameListener(at);
        }

        var listener = await _sockets.BindAsync(at, cancellationToken);
        Ports.Add(((IPEndPoint)listener.EndPoint).Port);
        return listener;
    }

    /// <summary>Another configured address that is served by a listener which is there already.</summary>
    private sealed class SameListener(EndPoint at) : IConnectionListener
    {
        private readonly TaskCompletionSource<ConnectionContext?> _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => at;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => await _unbound.Task.WaitAsync(cancellationToken);

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.TrySetResult(null);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync(CancellationToken.None);
    }
}
