using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// The kept connections to each endpoint of each Service. A pool goes when its endpoint does: then its unused
/// connections are closed, and those in use when they become unused.
/// </summary>
internal sealed class EndpointPools(Published<RoutingSnapshot> routes, IngressOptions options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<NamespacedName, ConcurrentDictionary<EndpointKey, EndpointPool>> _services = [];
    private readonly Lock _changing = new();

    /// <summary>Services with kept connections.</summary>
    public int Count => _services.Count;

    public EndpointPool For(NamespacedName service, Target target)
    {
        var key = EndpointKey.Of(target);
        return _services.TryGetValue(service, out var pools) && pools.TryGetValue(key, out var known) ? known : Make(service, target, key);
    }

    /// <summary>Whether the endpoint answers; null while nobody has asked it.</summary>
    public EndpointSilence? SilenceOf(NamespacedName service, Target target) =>
        _services.TryGetValue(service, out var pools) && pools.TryGetValue(EndpointKey.Of(target), out var known) ? known.Silence : null;

    public void Retain(NamespacedName service, ImmutableHashSet<EndpointKey> usable)
    {
        lock (_changing)
        {
            if (!_services.TryGetValue(service, out var pools))
            {
                return;
            }

            foreach (var key in pools.Keys.Where(key => !usable.Contains(key)))
            {
                if (pools.TryRemove(key, out var pool))
                {
                    pool.Dispose();
                }
            }

            if (pools.IsEmpty)
            {
                _services.TryRemove(service, out _);
            }
        }
    }

    public void Dispose()
    {
        foreach (var service in _services.Keys)
        {
            Retain(service, []);
        }
    }

#pragma warning disable CA2000 // a pool owns its connections: the table owns the pool, or the caller
    private EndpointPool Make(NamespacedName service, Target target, EndpointKey key)
    {
        lock (_changing)
        {
            // A request may hold an older snapshot. What has gone from the newest was retired, or will never be: its pool
            // is for this one attempt. What is there now is retired after this, if it goes.
            if (!IsUsable(service, key))
            {
                return new EndpointPool(target.Address, Connect(target.Address), new EndpointSilence(time), isKept: false);
            }

            var pools = _services.GetOrAdd(service, static _ => []);
            return pools.TryGetValue(key, out var known) ? known : pools[key] = new EndpointPool(target.Address, Connect(target.Address), new EndpointSilence(time), isKept: true);
        }
    }
#pragma warning restore CA2000

    private bool IsUsable(NamespacedName service, EndpointKey key)
    {
        if (routes.Current.Services.TryGetValue(service, out var route))
        {
            foreach (var port in route.Ports)
            {
                foreach (var target in port.Usable)
                {
                    if (EndpointKey.Of(target) == key)
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }

#pragma warning disable CA2000 // the invoker owns the handler, the stream the socket
    private EndpointInvoker Connect(IPEndPoint address) => new(new FlushedContent.Handler(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        EnableMultipleHttp2Connections = true,
        PooledConnectionIdleTimeout = options.PooledIdleTimeout,
        MaxResponseHeadersLength = 64, // KiB
        ActivityHeadersPropagator = null, // the CLIENT span and its traceparent are the gateway's own
        // Header values are bytes to a proxy (RFC 9110 §5.5): Latin-1 keeps each as it is.
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ConnectTimeout = Timeout.InfiniteTimeSpan, // counted below, where it can be told from other failures
        ConnectCallback = (_, stop) => OpenAsync(address, stop),
    }));

    /// <exception cref="NoRoomException">There is no socket for it: no endpoint's fault.</exception>
    private Socket Take(IPEndPoint address)
    {
        if (!options.ToEndpoints.TryTake())
        {
            throw new NoRoomException(options.ToEndpoints.WhyFull);
        }

        try
        {
            return new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        }
        catch (SocketException e)
        {
            options.ToEndpoints.Give();
            throw new NoRoomException(e.Message);
        }
    }

    private async ValueTask<Stream> OpenAsync(IPEndPoint address, CancellationToken stop)
    {
        var socket = Take(address);
        try
        {
            using var limit = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
            await socket.ConnectAsync(address, either.Token);
            // The socket keeps it. SocketsHttpHandler asks for it as well, before it sends anything, and that fails when a
            // reset came first (getpeername(2), ENOTCONN): here that counts as a connection that was not taken.
            _ = socket.RemoteEndPoint;
            TcpKeepAlive.Enable(socket);
            return new EndpointStream(socket, options.ToEndpoints);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            options.ToEndpoints.Give();
            stop.ThrowIfCancellationRequested();
            throw new NotConnectedException(e is SocketException ? e.Message : $"no connection within {options.ConnectTimeout.TotalSeconds} s", e is not SocketException, e);
        }
    }
#pragma warning restore CA2000
}

/// <summary>The connections to one endpoint, and the address in front of each request target.</summary>
internal sealed class EndpointPool(IPEndPoint address, HttpMessageInvoker invoker, EndpointSilence silence, bool isKept) : IDisposable
{
    /// <summary>Otherwise whoever asked for it disposes it after use.</summary>
    public bool IsKept => isKept;

    public string Prefix { get; } = $"http://{address}";

    public HttpMessageInvoker Invoker => invoker;

    public EndpointSilence Silence => silence;

    public void Dispose() => invoker.Dispose();
}

/// <summary>Tells a request that came too late for its pool, of which nothing was sent, from one that ended under way.</summary>
internal sealed class EndpointInvoker(HttpMessageHandler handler) : HttpMessageInvoker(handler)
{
    public override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return base.SendAsync(request, cancellationToken);
        }
        catch (ObjectDisposedException closed)
        {
            // Thrown before there is a task: neither the request's head nor its body was begun.
            throw new RetiredException(closed);
        }
    }
}
