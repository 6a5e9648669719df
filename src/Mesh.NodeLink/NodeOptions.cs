using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.NodeLink;

/// <summary>
/// What a node is told by its silo and keeps in its journal: the options of the table in docs/architecture.md that the
/// node serves. Sent as JSON in the link's Welcome; listeners open and close live when they change.
/// </summary>
public sealed record NodeOptions
{
    public required string NodeName { get; init; }

    /// <summary>The machine's address: what a Pod with address "host" gets.</summary>
    public required string Advertise { get; init; }

    /// <summary>HTTP registration listener, such as <c>127.0.0.1:6480</c>; port 0 is chosen once and kept.</summary>
    public required string NodeListen { get; init; }

    public required string IngressHttp { get; init; }

    /// <summary>Null in the journal of a build that served none: then none is served until a silo says where.</summary>
    public string? IngressHttps { get; init; }

    public required string DnsListen { get; init; }

    public required string ServiceCidr { get; init; }

    public required string PodCidr { get; init; }

    /// <summary>Blocks of addresses, such as <c>192.0.2.0/24</c>: NodePorts are served on those of the machine's that lie in one. Empty: on all of them.</summary>
    public ImmutableArray<string> NodePortAddresses { get; init; } = [];

    public required string ClusterDomain { get; init; }

    public ImmutableArray<uint> RegisterUids { get; init; } = [];

    /// <summary>Ports that no Pod may claim: the silo's own.</summary>
    public ImmutableArray<string> ReservedEndpoints { get; init; } = [];

    public required string LogLevel { get; init; }

    /// <summary>Where no endpoint may be with these options.</summary>
    /// <param name="machine">The machine's addresses: what a wildcard listens on.</param>
    public EndpointRule ForEndpoints(IEnumerable<IPAddress> machine)
    {
        string[] own = [NodeListen, IngressHttp, IngressHttps ?? "", DnsListen, .. ReservedEndpoints];
        return new EndpointRule(
            IPRange.TryCreate(ServiceCidr, out var cidr) ? cidr : null,
            own.Where(listener => listener.Length > 0).Select(listener => IPEndPoint.Parse(listener)),
            [.. machine, IPAddress.Parse(Advertise)]);
    }
}
