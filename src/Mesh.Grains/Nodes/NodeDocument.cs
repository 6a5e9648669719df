using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Pods;

namespace Mesh.Grains.Nodes;

/// <summary>What Mesh reads and writes in a Node's document (core/v1).</summary>
internal static class NodeDocument
{
    /// <summary>The greatest incarnation of the node process that was told: the next must be greater.</summary>
    private const string IncarnationAnnotation = "mesh.internal/incarnation";

    /// <summary>The Ready condition is Unknown: nothing has been heard of the node.</summary>
    public static bool IsSilent(ReadOnlyMemory<byte> document) => ReadyStatus(document) == "Unknown";

    public static string? ReadyStatus(ReadOnlyMemory<byte> document) =>
        (string?)ReadyOf(StoredFields.Node(document, "status", "conditions") as JsonArray)?["status"];

    public static IReadOnlyList<string> Addresses(ReadOnlyMemory<byte> document) =>
        StoredFields.Node(document, "status", "addresses") is JsonArray addresses
            ? [.. addresses.Where(entry => (string?)entry?["type"] is "InternalIP" or "ExternalIP").Select(entry => (string?)entry!["address"]).OfType<string>()]
            : [];

    public static uint Incarnation(ReadOnlyMemory<byte> document) =>
        uint.TryParse(StoredFields.Text(document, "metadata", "annotations", IncarnationAnnotation), CultureInfo.InvariantCulture, out var known) ? known : 0;

    public static ReadOnlyMemory<byte> Create(string name, string uid, DateTimeOffset now) => StoredFields.Close(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Node",
        ["metadata"] = new JsonObject { ["name"] = name, ["uid"] = uid, ["creationTimestamp"] = StoredFields.Time(now) },
        ["spec"] = new JsonObject(),
    });

    /// <summary>The document with what the node said of itself.</summary>
    public static ReadOnlyMemory<byte> WithFacts(ReadOnlyMemory<byte> document, NodeSession session, NodeFacts facts)
    {
        var node = StoredFields.Open(document);
        var metadata = node.Child("metadata");
        var name = (string?)metadata["name"] ?? "";
        var labels = metadata.Child("labels");
        labels["kubernetes.io/hostname"] = name;
        labels["kubernetes.io/os"] = "linux";
        labels["kubernetes.io/arch"] = facts.Architecture;
        metadata.Child("annotations")[IncarnationAnnotation] =
            Math.Max(Incarnation(document), session.Incarnation).ToString(CultureInfo.InvariantCulture);
        var status = node.Child("status");
        status["addresses"] = new JsonArray(
            new JsonObject { ["type"] = "InternalIP", ["address"] = session.Address },
            new JsonObject { ["type"] = "Hostname", ["address"] = name });
        status["capacity"] = Resources(facts);
        status["allocatable"] = Resources(facts);
        var version = Version(session.Build);
        status["nodeInfo"] = new JsonObject
        {
            ["machineID"] = "",
            ["systemUUID"] = "",
            ["bootID"] = facts.BootId,
            ["kernelVersion"] = facts.Kernel,
            ["osImage"] = facts.OsImage,
            ["containerRuntimeVersion"] = "mesh://" + version[1..],
            ["kubeletVersion"] = version,
            ["kubeProxyVersion"] = version,
            ["operatingSystem"] = "linux",
            ["architecture"] = facts.Architecture,
        };
        return StoredFields.Close(node);
    }

    /// <summary>The document with its Ready condition, whose transition time moves only with its status.</summary>
    public static ReadOnlyMemory<byte> WithReady(ReadOnlyMemory<byte> document, string status, string reason, string message, DateTimeOffset now)
    {
        var node = StoredFields.Open(document);
        var conditions = node.Child("status")["conditions"] as JsonArray ?? [];
        var ready = ReadyOf(conditions) as JsonObject;
        var since = (string?)ready?["status"] == status ? (string?)ready?["lastTransitionTime"] : null;
        if (ready is not null)
        {
            conditions.Remove(ready);
        }

        conditions.Add(new JsonObject
        {
            ["type"] = "Ready",
            ["status"] = status,
            ["lastHeartbeatTime"] = StoredFields.Time(now),
            ["lastTransitionTime"] = since ?? StoredFields.Time(now),
            ["reason"] = reason,
            ["message"] = message,
        });
        node.Child("status")["conditions"] = conditions;
        return StoredFields.Close(node);
    }

    // As kubelets write it, and short enough for a column of kubectl get nodes.
    private static string Version(string build) => "v" + BuildText.Short(build).TrimStart('v');

    private static JsonObject Resources(NodeFacts facts) => new()
    {
        ["cpu"] = facts.Cpus.ToString(CultureInfo.InvariantCulture),
        ["memory"] = (facts.MemoryBytes / 1024).ToString(CultureInfo.InvariantCulture) + "Ki",
        ["pods"] = "10000",
    };

    private static JsonNode? ReadyOf(JsonArray? conditions) =>
        conditions?.FirstOrDefault(condition => (string?)condition?["type"] == "Ready");
}
