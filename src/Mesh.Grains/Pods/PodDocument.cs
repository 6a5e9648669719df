using System.Text.Json.Nodes;

namespace Mesh.Grains.Pods;

/// <summary>What the grains read in a Pod's document without parsing it whole.</summary>
internal static class PodDocument
{
    public static string? NodeName(ReadOnlyMemory<byte> document) => StoredFields.Text(document, "spec", "nodeName");

    /// <summary>Its life is over (phase Succeeded or Failed); only finalizers keep the object.</summary>
    public static bool IsTerminal(ReadOnlyMemory<byte> document) => StoredFields.Text(document, "status", "phase") is "Succeeded" or "Failed";

    /// <summary>Condition Ready of the stored status.</summary>
    public static bool IsReady(ReadOnlyMemory<byte> document) =>
        StoredFields.Node(document, "status", "conditions") is JsonArray conditions
        && conditions.Any(condition => (string?)condition?["type"] == "Ready" && (string?)condition["status"] == "True");
}
