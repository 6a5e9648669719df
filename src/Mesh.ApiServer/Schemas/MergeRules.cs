using System.Collections.Frozen;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// Which lists a strategic merge patch merges, and by which key. The C# types do not carry the tags of the Go types
/// (kubernetes/api core/v1/types.go, meta/v1/types.go), so they are listed here; every other list is replaced whole.
/// Ports are told apart by their protocol too, which Go's tags do not do: a name server has 53/UDP and 53/TCP, and kubectl
/// sends both items whole.
/// </summary>
internal static class MergeRules
{
    private static readonly FrozenDictionary<(string Type, string Field), MergeRule> All =
        new Dictionary<(string, string), MergeRule>
        {
            [("V1ObjectMeta", "ownerReferences")] = new("uid"),
            [("V1ObjectMeta", "finalizers")] = new(""),
            [("V1NamespaceStatus", "conditions")] = new("type"),
            [("V1ServiceSpec", "ports")] = new("port", Beside: "protocol", BesideDefault: "TCP"),
            [("V1ServiceStatus", "conditions")] = new("type"),
            [("V1PodSpec", "containers")] = new("name"),
            [("V1PodSpec", "initContainers")] = new("name"),
            [("V1PodSpec", "ephemeralContainers")] = new("name"),
            [("V1PodSpec", "volumes")] = new("name", RetainsKeys: true),
            [("V1PodSpec", "imagePullSecrets")] = new("name"),
            [("V1PodSpec", "hostAliases")] = new("ip"),
            [("V1PodSpec", "topologySpreadConstraints")] = new("topologyKey"),
            [("V1PodSpec", "resourceClaims")] = new("name", RetainsKeys: true),
            [("V1PodSpec", "schedulingGates")] = new("name"),
            [("V1PodStatus", "conditions")] = new("type"),
            [("V1PodStatus", "podIPs")] = new("ip"),
            [("V1PodStatus", "hostIPs")] = new("ip"),
            [("V1PodStatus", "resourceClaimStatuses")] = new("name", RetainsKeys: true),
            [("V1Container", "ports")] = new("containerPort", Beside: "protocol", BesideDefault: "TCP"),
            [("V1Container", "env")] = new("name"),
            [("V1Container", "volumeMounts")] = new("mountPath"),
            [("V1Container", "volumeDevices")] = new("devicePath"),
            [("V1EphemeralContainer", "ports")] = new("containerPort", Beside: "protocol", BesideDefault: "TCP"),
            [("V1EphemeralContainer", "env")] = new("name"),
            [("V1EphemeralContainer", "volumeMounts")] = new("mountPath"),
            [("V1EphemeralContainer", "volumeDevices")] = new("devicePath"),
            [("V1ServiceAccount", "secrets")] = new("name"),
            [("V1NodeSpec", "podCIDRs")] = new(""),
            [("V1NodeStatus", "addresses")] = new("type"),
            [("V1NodeStatus", "conditions")] = new("type"),
        }.ToFrozenDictionary();

    public static MergeRule? For(Type type, string field) => All.GetValueOrDefault((type.Name, field));
}
