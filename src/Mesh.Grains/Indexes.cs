using System.Collections.Immutable;
using Mesh.Core.Names;
using Mesh.Grains.Ingresses;
using Mesh.Grains.Keeping;
using Mesh.Grains.Services;
using Mesh.Storage;

namespace Mesh.Grains;

/// <summary>What grains look for by more than a key: the watch cache of the silo has an index for each.</summary>
internal static class Indexes
{
    /// <summary>By the name of the node.</summary>
    public static CacheIndex PodsByNode { get; } = CacheIndex.Of("", "Pod", static pod => Words(pod.Field("spec.nodeName")));

    /// <summary>The EndpointSlices that Mesh writes, by <c>namespace/name</c> of the Service.</summary>
    public static CacheIndex SlicesByService { get; } = CacheIndex.Of(Kinds.DiscoveryGroup, "EndpointSlice", OwnSlices.ServicesOf);

    /// <summary>By the uids of the owners.</summary>
    public static CacheIndex ByOwner { get; } = CacheIndex.OfAll(static stored => stored.Owners.Select(owner => owner.Uid));

    /// <summary>What is being deleted and waits for its dependents, or for their forgetting it: by one word.</summary>
    public static CacheIndex Awaiting { get; } = CacheIndex.OfAll(static stored => Words(OwnedGarbage.IsAwaiting(stored) ? "awaiting" : ""));

    /// <summary>By each host with a path that the Ingress claims (<see cref="IngressWords.Of(IngressClaim)"/>).</summary>
    public static CacheIndex IngressesByClaim { get; } = Ingresses(IngressWords.Claims);

    /// <summary>By each name for which the Ingress wants a certificate.</summary>
    public static CacheIndex IngressesByTlsName { get; } = Ingresses(IngressWords.TlsNames);

    /// <summary>By <c>namespace/name</c> of each Service that is a backend.</summary>
    public static CacheIndex IngressesByBackend { get; } = Ingresses(IngressWords.Backends);

    /// <summary>By <c>namespace/name</c> of each Secret that is named.</summary>
    public static CacheIndex IngressesBySecret { get; } = Ingresses(IngressWords.Secrets);

    /// <summary>By the name of the IngressClass.</summary>
    public static CacheIndex IngressesByClass { get; } = Ingresses(static ingress => Words(ingress.ClassName ?? ""));

    /// <summary>Services that wait for a load balancer's address, or for a port there: by one word.</summary>
    public static CacheIndex WaitingBalancers { get; } = CacheIndex.Of("", "Service", static service => Words(Balancers.IsWaiting(service) ? "waiting" : ""));

    public static ImmutableArray<CacheIndex> All { get; } =
    [
        PodsByNode, SlicesByService, ByOwner, Awaiting, IngressesByClaim, IngressesByTlsName, IngressesByBackend, IngressesBySecret, IngressesByClass,
        WaitingBalancers,
    ];

    private static CacheIndex Ingresses(Func<Core.Ingresses.Ingress, IEnumerable<string>> words) => CacheIndex.Of(
        Kinds.NetworkingGroup, "Ingress", stored => IngressDocument.TryParse(stored) is { } ingress ? words(ingress) : []);

    private static string[] Words(string word) => word.Length == 0 ? [] : [word];
}
