using System.Diagnostics;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Registry;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>A grain that somebody must wake, by the kind of its object.</summary>
internal readonly record struct KeptGrain(KeptKind Kind, string Key)
{
    public string HashKey => $"{Kind}/{Key}";

    public static KeptGrain? Of(ObjectKey key) => key.Kind switch
    {
        "Service" => new KeptGrain(KeptKind.Service, $"{key.Namespace}/{key.Name}"),
        "Pod" => new KeptGrain(KeptKind.Pod, $"{key.Namespace}/{key.Name}"),
        "Ingress" => new KeptGrain(KeptKind.Ingress, $"{key.Namespace}/{key.Name}"),
        "Node" => new KeptGrain(KeptKind.Node, key.Name),
        "Namespace" => new KeptGrain(KeptKind.Registry, RegistryKeys.Of(key.Name)),
        _ => null,
    };

    /// <summary>Those that are woken also when nothing happens; of Pods only the <see cref="UnsettledPods"/> are.</summary>
    public static IEnumerable<KeptGrain> All(IWatchCache cache) =>
        new[] { ("", "Node"), ("", "Namespace"), ("", "Service"), (Kinds.NetworkingGroup, "Ingress") }
            .SelectMany(kind => cache.List(kind.Item1, kind.Item2, null).Items)
            .Select(stored => Of(stored.Key))
            .OfType<KeptGrain>();

    public Task WakeAsync(IGrainFactory grains, long version, CancellationToken stop) => Kind switch
    {
        KeptKind.Service => grains.Keyed<IServiceGrain>(Key).Reconcile(version, stop),
        KeptKind.Pod => grains.Keyed<IPodGrain>(Key).Reconcile(version, stop),
        KeptKind.Ingress => grains.Keyed<IIngressGrain>(Key).Reconcile(version, stop),
        KeptKind.Node => grains.Keyed<INodeGrain>(Key).Reconcile(version, stop),
        KeptKind.Registry => grains.Keyed<IPodRegistryGrain>(Key).Wake(stop),
        _ => throw new UnreachableException(),
    };
}

internal enum KeptKind
{
    Node,
    Registry,
    Service,
    Ingress,
    Pod,
}
