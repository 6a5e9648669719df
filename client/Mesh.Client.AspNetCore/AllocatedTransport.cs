using System.Net;
using System.Net.Sockets;
using Mesh.Client.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client.AspNetCore;

/// <summary>
/// Binds what Kestrel is configured to listen on at the address that the Pod was allocated: by URL, by configuration or in
/// code, as each of them comes down to an endpoint that is bound here. Without such an address it leaves binding to others, and
/// what cannot be had there is bound as configured: no answer of the node keeps a host from starting.
/// </summary>
internal sealed class AllocatedTransport(IOptions<SocketTransportOptions> options, ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _sockets = new(options, loggers);
    private readonly Dictionary<int, IPAddress> _bound = [];

    /// <summary>Set before the server binds; null again when it cannot be bound.</summary>
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

        try
        {
            var listener = await _sockets.BindAsync(at, cancellationToken);
            Ports.Add(((IPEndPoint)listener.EndPoint).Port);
            return listener;
        }
        catch (Exception notBound) when (notBound is SocketException or AddressInUseException)
        {
            loggers.CreateLogger(MeshClient.LogCategory).NotBoundThere(at, configured, notBound.Message);
        }

        _bound.Remove(configured.Port);
        Address = Ports.Count == 0 ? null : Address;
        return await _sockets.BindAsync(configured, cancellationToken);
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
