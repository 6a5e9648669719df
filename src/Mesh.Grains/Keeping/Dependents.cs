using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Nodes;
using Mesh.Grains.Services;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>Which grains have a reason to look after a change: the object's own, and those of objects that depend on it.</summary>
internal static class Dependents
{
    public static IEnumerable<KeptGrain> Of(StoreChange change, IWatchCache cache, UnsettledPods unsettled)
    {
        var key = change.Object.Key;
        if (KeptGrain.Of(key) is { } own)
        {
            yield return own;
        }

        var others = key.Kind switch
        {
            "EndpointSlice" => ServiceOf(key.Namespace, change.Object.Label(OwnSlices.ServiceLabel)),
            "Endpoints" => ServiceOf(key.Namespace, key.Name),
            "Service" => GrainsOf(cache.Find(Indexes.IngressesByBackend, $"{key.Namespace}/{key.Name}")).Concat(WaitingForAddress(change, cache)),
            "Ingress" => Rivals(change, cache),
            "Secret" => GrainsOf(cache.Find(Indexes.IngressesBySecret, $"{key.Namespace}/{key.Name}")),
            "IngressClass" => GrainsOf(cache.Find(Indexes.IngressesByClass, key.Name)),
            "Node" when IsSeen(change) => GrainsOf(cache.Find(Indexes.PodsByNode, key.Name).Where(unsettled.Has)).Concat(GrainsOf(cache.List(Kinds.NetworkingGroup, "Ingress", null).Items)),
            _ => [],
        };
        foreach (var other in others)
        {
            yield return other;
        }
    }

    private static KeptGrain[] ServiceOf(string ns, string? name) =>
        string.IsNullOrEmpty(name) ? [] : [new KeptGrain(KeptKind.Service, $"{ns}/{name}")];

    private static IEnumerable<KeptGrain> GrainsOf(IEnumerable<StoredObject> objects) =>
        objects.Select(stored => KeptGrain.Of(stored.Key)).OfType<KeptGrain>();

    /// <summary>The Ingresses that want something which this one wants or wanted.</summary>
    private static IEnumerable<KeptGrain> Rivals(StoreChange change, IWatchCache cache)
    {
        var versions = new[] { change.Object, change.Previous }.OfType<StoredObject>().ToArray();
        return new[] { Indexes.IngressesByClaim, Indexes.IngressesByTlsName }
            .SelectMany(index => versions.SelectMany(index.WordsOf).Distinct(StringComparer.Ordinal).SelectMany(word => GrainsOf(cache.Find(index, word))))
            .Distinct();
    }

    /// <summary>Services that wait for an address, or for a port of theirs, when another gave up a port of one.</summary>
    private static IEnumerable<KeptGrain> WaitingForAddress(StoreChange change, IWatchCache cache) =>
        change.Previous is { } before && Balancers.IsBalancer(before)
        && Ports(before).Except(change.Type == StoreChangeType.Deleted ? [] : Ports(change.Object)).Any()
            ? GrainsOf(cache.FindAll(Indexes.WaitingBalancers))
            : [];

    private static IEnumerable<ObjectKey> Ports(StoredObject service)
    {
        try
        {
            return LoadBalancerPorts.Of(ServiceParser.Parse(service.Document, service.CreatedVersion));
        }
        catch (FormatException)
        {
            return []; // nothing was allocated to what cannot be read
        }
    }

    /// <summary>Pods and Ingresses show whether the node is heard of, and its address.</summary>
    private static bool IsSeen(StoreChange change) =>
        change.Previous is null
        || change.Type == StoreChangeType.Deleted
        || NodeDocument.ReadyStatus(change.Previous.Document) != NodeDocument.ReadyStatus(change.Object.Document)
        || !NodeDocument.Addresses(change.Previous.Document).SequenceEqual(NodeDocument.Addresses(change.Object.Document));
}
