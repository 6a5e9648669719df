using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;

namespace Mesh.Core.Services;

/// <summary>What the rules need of a Kubernetes Service; parsed from its document by <see cref="ServiceParser"/>.</summary>
public sealed record Service
{
    public required NamespacedName Name { get; init; }

    public required string Uid { get; init; }

    public required long ResourceVersion { get; init; }

    /// <summary>resourceVersion of the write that created the object; smaller means older.</summary>
    public long CreatedVersion { get; init; }

    public ServiceType Type { get; init; } = ServiceType.ClusterIP;

    /// <summary>Empty for headless and ExternalName Services, and before allocation.</summary>
    public ImmutableArray<IPAddress> ClusterIPs { get; init; } = [];

    /// <summary><c>clusterIP: None</c>.</summary>
    public bool IsHeadless { get; init; }

    /// <summary>
    /// Where a LoadBalancer Service is answered, from its status: those of <c>ipMode: VIP</c>. Another mode, or a host name
    /// alone, says that somebody else's load balancer carries the traffic (core/v1 LoadBalancerIngress).
    /// </summary>
    public ImmutableArray<IPAddress> LoadBalancerAddresses { get; init; } = [];

    /// <summary>Ports that are not answered at an address of the load balancer: their status has an error (core/v1 PortStatus).</summary>
    public ImmutableArray<UnansweredPort> UnansweredPorts { get; init; } = [];

    /// <summary>Empty: no selector, so no endpoints of Mesh's own.</summary>
    public ImmutableSortedDictionary<string, string> Selector { get; init; } = Labels.LabelMap.Empty;

    public ImmutableArray<ServicePort> Ports { get; init; } = [];

    public bool PublishNotReadyAddresses { get; init; }

    public string? ExternalName { get; init; }

    public bool IsDeleting { get; init; }

    /// <summary>Where the load balancer answers this port.</summary>
    public ImmutableArray<IPAddress> LoadBalancerAddressesOf(ServicePort port) => UnansweredPorts.IsEmpty
        ? LoadBalancerAddresses
        : LoadBalancerAddresses.RemoveAll(address => UnansweredPorts.Contains(new UnansweredPort(address, port.Protocol, port.Port)));
}

/// <summary>A port of a LoadBalancer Service that another Service has at this address.</summary>
public sealed record UnansweredPort(IPAddress Address, TransportProtocol Protocol, int Port);

public enum ServiceType
{
    ClusterIP,
    NodePort,
    LoadBalancer,
    ExternalName,
}

/// <summary>
/// One port of a Service. <paramref name="Name"/> is empty for the only, unnamed port; <paramref name="NodePort"/> is 0 for
/// a port that has none.
/// </summary>
public sealed record ServicePort(string Name, TransportProtocol Protocol, int Port, TargetPort Target, string? AppProtocol = null, int NodePort = 0);

public enum TransportProtocol
{
    Tcp,
    Udp,
    Sctp,
}

/// <summary><c>targetPort</c>: a number, or the name of a container port that each Pod resolves for itself.</summary>
public abstract record TargetPort
{
    private TargetPort()
    {
    }

    public sealed record Number(int Value) : TargetPort;

    public sealed record Named(string Value) : TargetPort;
}
