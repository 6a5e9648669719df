using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>
/// Everything one machine routes by, at one moment: read once per connection, request or query. Immutable and
/// persistent: a change shares all that it does not touch with the snapshot before it.
/// </summary>
public sealed class RoutingSnapshot : IVersioned
{
    public static RoutingSnapshot Empty { get; } = new();

    /// <summary>Counted up by the loop that owns the snapshot, within one process.</summary>
    public long Version { get; init; }

    /// <summary>True once the control plane has told everything it knew when the link was made.</summary>
    public bool IsSynced { get; init; }

    public ImmutableDictionary<NamespacedName, ServiceRoute> Services { get; init; } =
        ImmutableDictionary<NamespacedName, ServiceRoute>.Empty;

    public IngressTable Ingresses { get; init; } = IngressTable.Empty;

    public TlsRouting Tls { get; init; } = TlsRouting.Empty;

    /// <summary>Namespaces that exist: DNS tells an empty one from a missing one.</summary>
    public ImmutableHashSet<string> Namespaces { get; init; } = ImmutableHashSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Services by ClusterIP, for reverse lookups.</summary>
    public ImmutableDictionary<IPAddress, NamespacedName> ClusterIPs { get; init; } =
        ImmutableDictionary<IPAddress, NamespacedName>.Empty;

    /// <summary>Services by the addresses of their endpoints, ready or not, for reverse lookups.</summary>
    public ImmutableDictionary<IPAddress, ImmutableSortedSet<NamespacedName>> EndpointAddresses { get; init; } =
        ImmutableDictionary<IPAddress, ImmutableSortedSet<NamespacedName>>.Empty;

    /// <summary>Whether both route the same: parts are persistent, so one that did not change is the same object.</summary>
    internal bool HasSameParts(RoutingSnapshot other) =>
        IsSynced == other.IsSynced
        && ReferenceEquals(Services, other.Services)
        && ReferenceEquals(Ingresses, other.Ingresses)
        && Tls.HasSameParts(other.Tls)
        && ReferenceEquals(Namespaces, other.Namespaces)
        && ReferenceEquals(ClusterIPs, other.ClusterIPs)
        && ReferenceEquals(EndpointAddresses, other.EndpointAddresses);
}
