using System.Net;
using Mesh.Core.Names;

namespace Mesh.DataPlane.Listening;

/// <summary>Told when a port that should be served cannot be listened on; the host makes Events of it.</summary>
public interface IPortProblems
{
    /// <summary>Once per problem, not per retry. <paramref name="service"/> is null for a listener of the node's own.</summary>
    void Report(NamespacedName? service, PortProblem problem);

    /// <summary>The port is listened on again, or no longer wanted.</summary>
    void Solved(NamespacedName? service, IPEndPoint address);
}

/// <summary>Why a port cannot be listened on.</summary>
public abstract record PortProblem
{
    private PortProblem(IPEndPoint address) => Address = address;

    public IPEndPoint Address { get; }

    /// <summary>The reason of the Event.</summary>
    public abstract string Reason { get; }

    /// <summary>A sentence that helps.</summary>
    public abstract string Message { get; }

    /// <summary>Another process listens on it, or on the port of every address.</summary>
    public sealed record Taken(IPEndPoint At, PortHolder? Holder) : PortProblem(At)
    {
        public override string Reason => "PortTaken";

        public override string Message => Holder is null
            ? $"{At} is taken by another process; programs on this machine reach that process there until it ends."
            : $"{At} is taken by {Holder}; programs on this machine reach it there until it ends.";
    }

    /// <summary>Ports below <c>net.ipv4.ip_unprivileged_port_start</c> need a capability.</summary>
    public sealed record NotPermitted(IPEndPoint At) : PortProblem(At)
    {
        public override string Reason => "PortNotPermitted";

        public override string Message =>
            $"{At} needs CAP_NET_BIND_SERVICE: run 'sudo sysctl net.ipv4.ip_unprivileged_port_start={At.Port}', or 'sudo setcap cap_net_bind_service=+ep {Environment.ProcessPath}' and start Mesh again.";
    }

    /// <summary>The address is not on this machine, or the system refuses the socket for another reason.</summary>
    public sealed record Unusable(IPEndPoint At, string Detail) : PortProblem(At)
    {
        public override string Reason => "PortUnusable";

        public override string Message => $"{At} cannot be listened on: {Detail}.";
    }
}
