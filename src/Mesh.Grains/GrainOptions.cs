using System.ComponentModel.DataAnnotations;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.Grains;

/// <summary>What the grains are told by the process that hosts them.</summary>
public sealed class GrainOptions
{
    /// <summary>ClusterIPs come from here.</summary>
    [Required]
    public IPNetwork ServiceCidr { get; set; } = IPNetwork.Parse("127.96.0.0/16");

    /// <summary>The first and the last port that a NodePort can be.</summary>
    [Range(1, IPEndPoint.MaxPort)]
    public int FirstNodePort { get; set; } = 30_000;

    [Range(1, IPEndPoint.MaxPort)]
    public int LastNodePort { get; set; } = 32_767;

    /// <summary>Addresses of LoadBalancer Services, in the order in which they are handed out.</summary>
    public IReadOnlyList<IPNetwork> LoadBalancerPool { get; set; } = [IPNetwork.Parse("127.0.0.1/32")];

    /// <summary>Where Mesh listens on this machine, wildcards as the addresses that they stand for: no endpoint may be there.</summary>
    public IReadOnlyList<IPEndPoint> OwnListeners { get; set; } = [];

    /// <summary>The node of this silo's own machine: manifest Pods that name no node and no node's address run there.</summary>
    public string NodeName { get; set; } = "";

    public EndpointRule ForEndpoints() => new(IPRange.TryCreate(ServiceCidr.ToString(), out var cidr) ? cidr : null, OwnListeners, []);
}
