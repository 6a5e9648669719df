using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Listening;

/// <summary>Says what a failed bind means.</summary>
internal static class PortProblems
{
    public static PortProblem From(SocketException error, IPEndPoint address) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => new PortProblem.Taken(address, PortHolder.Find(address)),
        SocketError.AccessDenied => new PortProblem.NotPermitted(address),
        _ => new PortProblem.Unusable(address, error.Message),
    };
}
