using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.Listening;

/// <summary>Why a port cannot be listened on, or an endpoint not be used.</summary>
public abstract record PortProblem
{
    private const int MostNamed = 3;

    private PortProblem(IPEndPoint address) => Address = address;

    public IPEndPoint Address { get; }

    /// <summary>Further addresses that the same keeps from being served on the same port: one problem to its user, not one each.</summary>
    public ImmutableArray<IPAddress> AlsoAt { get; init; } = [];

    /// <summary>The reason of the Event.</summary>
    public abstract string Reason { get; }

    /// <summary>A sentence that helps.</summary>
    public virtual string Message => $"{Where} {Why}.";

    /// <summary>The sentence without where: the same for all addresses of a port that one cause keeps from being served.</summary>
    public abstract string Why { get; }

    private string Where => AlsoAt.Length switch
    {
        0 => Address.ToString(),
        <= MostNamed => $"{Address} (also on {string.Join(", ", AlsoAt)})",
        var more => $"{Address} (also on {string.Join(", ", AlsoAt.Take(MostNamed))} and {more - MostNamed} more addresses)",
    };

    /// <summary>Another process listens on it, or on the port of every address.</summary>
    /// <param name="Kind">Null for a listener of the node's own.</param>
    public sealed record Taken(IPEndPoint At, PortHolder? Holder, FrontendKind? Kind = null) : PortProblem(At)
    {
        public override string Reason => "PortTaken";

        public override string Why => Holder is null
            ? $"is taken by another process; programs on this machine reach that process there until it ends{Instead}"
            : $"is taken by {Holder}; programs on this machine reach it there until it ends{Instead}";

        private string Instead => Kind == FrontendKind.NodePort ? ", or the Service gets another nodePort" : "";
    }

    /// <summary>A Pod is there, which was there first, or was until a moment ago.</summary>
    /// <param name="KeptFor">How long it stays the Pod's after the Pod has gone.</param>
    public sealed record OfPod(IPEndPoint At, EndpointPlace Endpoint, TimeSpan KeptFor) : PortProblem(At)
    {
        public override string Reason => "PortTaken";

        public override string Why =>
            $"is the place of Pod {Endpoint.Pod}, an endpoint of Service {Endpoint.Service}: programs on this machine reach that Pod there, and it stays the Pod's for {KeptFor.TotalMinutes:0} minutes after the Pod has gone; move one of both";
    }

    /// <summary>Another Service is answered there.</summary>
    public sealed record OfService(IPEndPoint At, NamespacedName Service) : PortProblem(At)
    {
        public override string Reason => "PortTaken";

        public override string Why => $"answers for Service {Service} already; give one of both another port or address";
    }

    /// <summary>Mesh's own listener is there, or will be once the machine has the address.</summary>
    public sealed record OfMesh(IPEndPoint At) : PortProblem(At)
    {
        public override string Reason => "PortTaken";

        public override string Why =>
            "is where Mesh itself listens (its Ingress, DNS, registrations or API), so no Service is answered there: give the Service another port or address, or that listener another one (its options name one address instead of 0.0.0.0)";
    }

    /// <summary>Ports below <c>net.ipv4.ip_unprivileged_port_start</c> need a capability.</summary>
    public sealed record NotPermitted(IPEndPoint At) : PortProblem(At)
    {
        public override string Reason => "PortNotPermitted";

        public override string Why =>
            $"needs CAP_NET_BIND_SERVICE: run 'sudo sysctl net.ipv4.ip_unprivileged_port_start={At.Port}', or 'sudo setcap cap_net_bind_service=+ep {Environment.ProcessPath}' and start Mesh again";
    }

    /// <summary>The address is not on this machine.</summary>
    public sealed record NotHere(IPEndPoint At, FrontendKind? Kind) : PortProblem(At)
    {
        public override string Reason => "PortUnusable";

        public override string Why => "cannot be listened on, as this machine does not have the address: give it to the machine" + (Kind == FrontendKind.LoadBalancer
            ? ", or take it out of --loadbalancer-pool, or out of the Service's status.loadBalancer where somebody wrote it there"
            : "");
    }

    /// <summary>Every further listener would take descriptors from connections.</summary>
    public sealed record TooMany(IPEndPoint At, int Limit) : PortProblem(At)
    {
        public override string Reason => "PortUnusable";

        public override string Why =>
            $"is not listened on, as the {Limit} files and sockets that may be open for listeners and connections are used up: raise that limit (ulimit -n), or have fewer addresses serve NodePorts (--nodeport-addresses)";
    }

    /// <summary>Who shares the files and sockets that the process may open has its share, and gets no more now.</summary>
    public sealed record UsedUp(string Sentence) : PortProblem(new IPEndPoint(IPAddress.Any, 0))
    {
        public override string Reason => "DescriptorsUsedUp";

        public override string Why => Sentence;

        public override string Message => $"{Why}.";
    }

    /// <summary>The system refuses the socket for another reason.</summary>
    public sealed record Unusable(IPEndPoint At, string Detail) : PortProblem(At)
    {
        public override string Reason => "PortUnusable";

        public override string Why => $"cannot be listened on: {Detail}";
    }

    /// <summary>An endpoint came to where the node listens for a Service: a connection to it would come back to the node.</summary>
    public sealed record EndpointNotAllowed(IPEndPoint At, NamespacedName Pod) : PortProblem(At)
    {
        public override string Reason => "EndpointNotAllowed";

        public override string Why => $"is where Mesh itself answers a Service (its NodePort, or on its load balancer's address): Pod {Pod} is not used there";
    }
}
