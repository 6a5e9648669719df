using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Nodes;
using Mesh.Grains.Pods;
using Mesh.Grains.Services;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>Which grains have a reason to look after a change: the object's own, and those of objects that depend on it.</summary>
internal static class Dependents
{
    private static readonly ConditionalWeakTable<StoredObject, StrongBox<Ingress?>> Known = [];

    public static IEnumerable<KeptGrain> Of(StoreChange change, IWatchCache cache)
    {
        var key = change.Object.Key;
        if (KeptGrain.Of(key) is { } own)
        {
            yield return own;
        }

        var others = key.Kind switch
        {
            "EndpointSlice" => ServiceOf(key.Namespace, StoredFields.Text(change.Object.Document, "metadata", "labels", "kubernetes.io/service-name")),
            "Endpoints" => ServiceOf(key.Namespace, key.Name),
            "Service" => Ingresses(cache, key.Namespace, ingress => Backends(ingress).Any(service => service.Name == key.Name)).Concat(WaitingForAddress(change, cache)),
            "Ingress" => SharingHost(change, cache),
            "Secret" => Ingresses(cache, key.Namespace, ingress => ingress.Tls.Any(tls => tls.Secret?.Name == key.Name)),
            "IngressClass" => Ingresses(cache, null, ingress => ingress.ClassName == key.Name),
            "Node" when IsSeen(change) => PodsOf(cache, key.Name).Concat(Ingresses(cache, null, static _ => true)),
            _ => [],
        };
        foreach (var other in others)
        {
            yield return other;
        }
    }

    public static IEnumerable<NamespacedName> Backends(Ingress ingress) =>
        ingress.Rules.SelectMany(rule => rule.Paths).Select(path => path.Backend).Append(ingress.DefaultBackend)
            .OfType<IngressBackend>().Select(backend => backend.Service);

    /// <summary>Every admitted Ingress, of one namespace or of all.</summary>
    public static IEnumerable<Ingress> Parsed(IWatchCache cache, string? ns) =>
        cache.List(Kinds.NetworkingGroup, "Ingress", ns).Items.Select(TryParse).OfType<Ingress>();

    /// <summary>Each version is read once for all who ask, as every Ingress is looked at whenever one of them is.</summary>
    public static Ingress? TryParse(StoredObject stored) => Known.GetValue(stored, static unread =>
    {
        try
        {
            return new StrongBox<Ingress?>(IngressParser.Parse(unread.Document, unread.CreatedVersion));
        }
        catch (FormatException)
        {
            return new StrongBox<Ingress?>(null); // written past the API's checks: nothing is routed by it
        }
    }).Value;

    private static KeptGrain[] ServiceOf(string ns, string? name) =>
        string.IsNullOrEmpty(name) ? [] : [new KeptGrain(KeptKind.Service, $"{ns}/{name}")];

    private static IEnumerable<KeptGrain> Ingresses(IWatchCache cache, string? ns, Func<Ingress, bool> which) =>
        Parsed(cache, ns).Where(which).Select(ingress => new KeptGrain(KeptKind.Ingress, ingress.Name.ToString()));

    private static IEnumerable<KeptGrain> SharingHost(StoreChange change, IWatchCache cache)
    {
        var hosts = new[] { change.Object, change.Previous }.OfType<StoredObject>()
            .Select(TryParse).OfType<Ingress>().SelectMany(Hosts).ToHashSet(StringComparer.Ordinal);
        return Ingresses(cache, null, other => Hosts(other).Any(hosts.Contains));
    }

    private static IEnumerable<string> Hosts(Ingress ingress) =>
        ingress.Rules.Select(rule => rule.Host).Concat(TlsNames.Of(ingress).Select(name => name.Host));

    /// <summary>Services that wait for an address, or for a port of theirs, when another gave up a port of one.</summary>
    private static IEnumerable<KeptGrain> WaitingForAddress(StoreChange change, IWatchCache cache)
    {
        if (change.Previous is not { } before || !IsBalancer(before) || !Ports(before).Except(change.Type == StoreChangeType.Deleted ? [] : Ports(change.Object)).Any())
        {
            return [];
        }

        return cache.List("", "Service", null).Items
            .Where(other => IsBalancer(other) && IsWaiting(other))
            .Select(other => KeptGrain.Of(other.Key)).OfType<KeptGrain>();
    }

    private static bool IsWaiting(StoredObject balancer) =>
        StoredFields.Node(balancer.Document, "status", "loadBalancer", "ingress") is not JsonArray { Count: > 0 } shown || shown[0]?["ports"] is not null;

    private static bool IsBalancer(StoredObject service) => StoredFields.Text(service.Document, "spec", "type") == "LoadBalancer";

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

    private static IEnumerable<KeptGrain> PodsOf(IWatchCache cache, string node) =>
        cache.List("", "Pod", null).Items
            .Where(pod => PodDocument.NodeName(pod.Document) == node)
            .Select(pod => new KeptGrain(KeptKind.Pod, $"{pod.Key.Namespace}/{pod.Key.Name}"));
}
