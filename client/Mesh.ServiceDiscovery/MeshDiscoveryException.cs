using System.Net.Sockets;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// A Service cannot be called by its name, for the reason that the message says. To whoever sends a request it is one that
/// could not be brought anywhere, so it is what callers and retry policies catch already.
/// </summary>
public class MeshDiscoveryException : HttpRequestException
{
    /// <param name="passing">What keeps it from being called may pass. gRPC tells that by an exception of a socket, and is Unavailable then.</param>
    internal MeshDiscoveryException(string service, string message, SocketError? passing = null)
        : base(HttpRequestError.Unknown, message, passing is { } error ? new SocketException((int)error) : null) => Service = service;

    /// <summary>The Service, as <c>namespace/name</c>.</summary>
    public string Service { get; }
}
