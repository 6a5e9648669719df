using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Listening;

/// <summary>Says what a failed bind means.</summary>
internal static class PortProblems
{
    public static bool IsTaken(SocketException error) => error.SocketErrorCode == SocketError.AddressAlreadyInUse;

    public static PortProblem From(SocketException error, IPEndPoint address, PortHolder? holder) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => new PortProblem.Taken(address, holder),
        SocketError.AccessDenied => new PortProblem.NotPermitted(address),
        _ => new PortProblem.Unusable(address, error.Message),
    };
}
