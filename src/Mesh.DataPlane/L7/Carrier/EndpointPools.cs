using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// The kept connections to each endpoint of each Service. A pool goes when its endpoint does: then its unused
/// connections are closed, and those in use when they become unused.
/// </summary>
internal sealed class EndpointPools(IngressOptions options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<NamespacedName, ConcurrentDictionary<EndpointKey, EndpointPool>> _services = [];

    public EndpointPool For(NamespacedName service, Target target)
    {
        var pools = _services.GetOrAdd(service, static _ => []);
        var key = EndpointKey.Of(target);
        if (pools.TryGetValue(key, out var known))
        {
            return known;
        }

#pragma warning disable CA2000 // the table owns it, or it is disposed below
        var made = new EndpointPool(target.Address, Connect(target.Address));
#pragma warning restore CA2000
        var kept = pools.GetOrAdd(key, made);
        if (!ReferenceEquals(kept, made))
        {
            made.Dispose();
        }

        return kept;
    }

    public void Retain(NamespacedName service, ImmutableHashSet<EndpointKey> usable)
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
    }

    public void Dispose()
    {
        foreach (var service in _services.Keys)
        {
            Retain(service, []);
        }
    }

#pragma warning disable CA2000 // the invoker owns the handler, the stream the socket
    private HttpMessageInvoker Connect(IPEndPoint address) => new(new FlushedContent.Handler(new SocketsHttpHandler
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

    private async ValueTask<Stream> OpenAsync(IPEndPoint address, CancellationToken stop)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
            await socket.ConnectAsync(address, either.Token);
            return new EndpointStream(socket);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            stop.ThrowIfCancellationRequested();
            throw new NotConnectedException(e is SocketException ? e.Message : $"no connection within {options.ConnectTimeout.TotalSeconds} s", e is not SocketException, e);
        }
    }
#pragma warning restore CA2000
}

/// <summary>The connections to one endpoint, and the address in front of each request target.</summary>
internal sealed class EndpointPool(IPEndPoint address, HttpMessageInvoker invoker) : IDisposable
{
    public string Prefix { get; } = $"http://{address}";

    public HttpMessageInvoker Invoker => invoker;

    public void Dispose() => invoker.Dispose();
}
