using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Listening;

/// <summary>Says what a failure to listen means.</summary>
internal static class PortProblems
{
    public static PortProblem From(PortCause cause, IPEndPoint address, PortHolder? holder) => cause switch
    {
        PortCause.Refused refused => From(refused, address, holder),
        PortCause.Pod pod => new PortProblem.OfPod(address, pod.Endpoint, pod.KeptFor),
        PortCause.Service service => new PortProblem.OfService(address, service.Name),
        PortCause.Own => new PortProblem.OfMesh(address),
        PortCause.TooMany many => new PortProblem.TooMany(address, many.Limit),
        _ => throw new UnreachableException(),
    };

    private static PortProblem From(PortCause.Refused refused, IPEndPoint address, PortHolder? holder) => refused.Error switch
    {
        SocketError.AddressAlreadyInUse => new PortProblem.Taken(address, holder, refused.Kind),
        SocketError.AccessDenied => new PortProblem.NotPermitted(address),
        SocketError.AddressNotAvailable => new PortProblem.NotHere(address, refused.Kind),
        _ => new PortProblem.Unusable(address, refused.Detail),
    };
}
