using System.Globalization;
using System.Net;

namespace Mesh.Core.Names;

/// <summary>
/// The identity of an API object in the store: group (empty for the core group), kind, namespace (empty for
/// cluster-scoped kinds) and name.
/// </summary>
public readonly record struct ObjectKey(string Group, string Kind, string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? $"{Kind}/{Name}" : $"{Kind}/{Namespace}/{Name}";
}

/// <summary>Group and kind of the objects that Mesh itself works with.</summary>
public static class Kinds
{
    public const string NetworkingGroup = "networking.k8s.io";
    public const string DiscoveryGroup = "discovery.k8s.io";

    /// <summary>Of objects that only Mesh itself reads and writes; the API serves none of them.</summary>
    public const string InternalGroup = "mesh.internal";

    public static ObjectKey Namespace(string name) => new("", "Namespace", "", name);

    public static ObjectKey Node(string name) => new("", "Node", "", name);

    public static ObjectKey Pod(NamespacedName name) => new("", "Pod", name.Namespace, name.Name);

    public static ObjectKey Service(NamespacedName name) => new("", "Service", name.Namespace, name.Name);

    public static ObjectKey Endpoints(NamespacedName name) => new("", "Endpoints", name.Namespace, name.Name);

    public static ObjectKey Secret(NamespacedName name) => new("", "Secret", name.Namespace, name.Name);

    public static ObjectKey Event(NamespacedName name) => new("", "Event", name.Namespace, name.Name);

    public static ObjectKey Ingress(NamespacedName name) => new(NetworkingGroup, "Ingress", name.Namespace, name.Name);

    /// <summary>The allocation of a ClusterIP: the address is the name, so the store's key makes it unique.</summary>
    public static ObjectKey IPAddress(string address) => new(NetworkingGroup, "IPAddress", "", address);

    /// <summary>The allocation of a NodePort: one number is one Service's, whatever its protocols.</summary>
    public static ObjectKey NodePort(int number) => new(InternalGroup, "NodePort", "", number.ToString(CultureInfo.InvariantCulture));

    /// <summary>The allocation of one port of a LoadBalancer address: Services may share the address, and no port of it.</summary>
    public static ObjectKey LoadBalancerPort(IPAddress address, string protocol, int port) =>
        new(InternalGroup, "LoadBalancerPort", "", string.Create(CultureInfo.InvariantCulture, $"{address}/{protocol}/{port}"));

    public static ObjectKey EndpointSlice(NamespacedName name) => new(DiscoveryGroup, "EndpointSlice", name.Namespace, name.Name);
}
