using System.Text.Json;
using Mesh.Storage;

namespace Mesh.Grains.Projections;

/// <summary>The zone of a Node, by its well-known label.</summary>
internal static class NodeZone
{
    public static string? Of(StoredObject node)
    {
        using var document = JsonDocument.Parse(node.Document);
        return document.RootElement.GetProperty("metadata").TryGetProperty("labels", out var labels)
            && labels.ValueKind == JsonValueKind.Object
            && labels.TryGetProperty("topology.kubernetes.io/zone", out var zone) ? zone.GetString() : null;
    }
}
