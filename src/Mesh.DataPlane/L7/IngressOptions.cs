using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Descriptors;
using Microsoft.AspNetCore.Connections;

namespace Mesh.DataPlane.L7;

/// <summary>Limits and times of the L7 gateway.</summary>
public sealed record IngressOptions
{
    /// <summary>Where it listens; a wildcard means each address of the machine, port 0 a free port.</summary>
    public ImmutableArray<IPEndPoint> HttpListen { get; init; } = [new(IPAddress.Any, 8780)];

    /// <summary>Where it listens for HTTPS, likewise.</summary>
    public ImmutableArray<IPEndPoint> HttpsListen { get; init; } = [];

    /// <summary>What this gateway calls itself in CDN-Loop: the same after each restart, and no other gateway's.</summary>
    public string GatewayId { get; init; } = "mesh";

    /// <summary>Longest request line; a longer one is answered 414.</summary>
    public int MaxRequestLine { get; init; } = 8 * 1024;

    /// <summary>All header lines together; more is answered 431.</summary>
    public int MaxHeaderBytes { get; init; } = 32 * 1024;

    /// <summary>Header lines; more is answered 431.</summary>
    public int MaxHeaders { get; init; } = 100;

    /// <summary>From the first byte of a request to the end of its headers; then 408.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may wait for its next request.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>How long a client that has ended its side, and takes nothing of its answer, is waited for; then it counts as gone.</summary>
    public TimeSpan HalfClosedTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time that a client has for its TLS handshake, from the connection on; then it is cut off.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>TLS handshakes under way at once; one more cuts off the oldest.</summary>
    public int MaxHandshakes { get; init; } = 2_000;

    /// <summary>Longest first message of a TLS client; those of browsers have 2 kB. A longer one is cut off.</summary>
    public int MaxHelloBytes { get; init; } = 16 * 1024;

    /// <summary>What accepts connections: whoever starts the gateway says how many.</summary>
    public Func<IConnectionListenerFactory, IConnectionListenerFactory> Admit { get; init; } = static transport => transport;

    /// <summary>Of it connections to endpoints are taken; without one more, a request is answered 503.</summary>
    public DescriptorShare ToEndpoints { get; init; } = new DescriptorBudget(long.MaxValue).Open("Connections to endpoints", own: 0);

    /// <summary>Requests being carried at once; one more is answered 503.</summary>
    public int MaxActiveRequests { get; init; } = 10_000;

    /// <summary>Time that one endpoint has to accept a connection before another is tried.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Time that an endpoint has to begin its answer, after the last piece of the request; then 504. An answer that has begun may be silent.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>Silence of an upgraded connection, in both directions, after which it is cut.</summary>
    public TimeSpan TunnelIdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long an unused connection to an endpoint is kept.</summary>
    public TimeSpan PooledIdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Endpoints tried for one request, when they refuse the connection.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>Of the listener that has these: it speaks HTTPS.</summary>
    internal bool IsTls { get; init; }

    /// <summary>How often an address that could not be listened on is tried again.</summary>
    public TimeSpan RetryEvery { get; init; } = TimeSpan.FromSeconds(1);
}
