using System.Net;
using System.Net.Sockets;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.Listening;

/// <summary>What kept a port from being listened on, before anybody has looked who holds it.</summary>
internal abstract record PortCause
{
    private PortCause()
    {
    }

    /// <summary>The system refused the socket.</summary>
    public sealed record Refused(SocketError Error, string Detail, FrontendKind? Kind) : PortCause
    {
        public bool IsTaken => Error == SocketError.AddressAlreadyInUse;

        public static Refused By(SocketException error, FrontendKind? kind) => new(error.SocketErrorCode, error.Message, kind);
    }

    /// <param name="KeptFor">After the Pod has gone.</param>
    public sealed record Pod(EndpointPlace Endpoint, TimeSpan KeptFor) : PortCause;

    public sealed record Service(NamespacedName Name) : PortCause;

    /// <summary>It is a listener of the node's own, or its silo's.</summary>
    public sealed record Own : PortCause;

    public sealed record TooMany(int Limit) : PortCause;
}

/// <param name="For">Null for a listener of the node's own.</param>
internal sealed record PortFailure(NamespacedName? For, IPEndPoint Address, PortCause Cause);
