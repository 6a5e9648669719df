using System.Net;

namespace Mesh.Dns;

/// <summary>Where and how DNS is served.</summary>
public sealed record DnsServerOptions
{
    /// <summary>UDP and TCP are served on each. Port 0 chooses one free port for both.</summary>
    public required IReadOnlyList<IPEndPoint> Listen { get; init; }

    /// <summary>TCP connections held at once; with one more, the oldest is closed.</summary>
    public int MaxTcpConnections { get; init; } = 256;

    /// <summary>How long a TCP client may take for one query.</summary>
    public TimeSpan TcpReadTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
