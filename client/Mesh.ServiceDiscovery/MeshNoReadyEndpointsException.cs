using System.Net.Sockets;

namespace Mesh.ServiceDiscovery;

/// <summary>The Service is there, and nobody can serve it now. Its next ready Pod is used by the next request.</summary>
public sealed class MeshNoReadyEndpointsException : MeshDiscoveryException
{
    internal MeshNoReadyEndpointsException(string service, int ready, int total, string reason, long revision)
        : base(service, $"Service {service}: {ready} of {(total == 1 ? "1 Pod" : $"{total} Pods")} ready; {reason}", SocketError.ConnectionRefused) =>
        (Ready, Total, Reason, Revision) = (ready, total, reason, revision);

    /// <summary>Pods that are ready, of those that have the port.</summary>
    public int Ready { get; }

    /// <summary>Pods of the Service that have the port.</summary>
    public int Total { get; }

    /// <summary>What helps.</summary>
    public string Reason { get; }

    /// <summary>Of the node's word that says so.</summary>
    public long Revision { get; }
}
