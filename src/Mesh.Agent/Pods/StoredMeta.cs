using System.Collections.Immutable;
using System.Text.Json;
using Mesh.Core.Labels;

namespace Mesh.Agent.Pods;

/// <summary>What a registered Pod's stored object may say other than its registration: changed by kubectl.</summary>
internal sealed record StoredMeta(
    ImmutableSortedDictionary<string, string> Labels,
    ImmutableSortedDictionary<string, string> Annotations,
    string? DeletionTimestamp,
    int? GraceSeconds)
{
    /// <exception cref="FormatException">The document is not a Pod.</exception>
    public static StoredMeta Read(ReadOnlyMemory<byte> document)
    {
        try
        {
            using var parsed = JsonDocument.Parse(document);
            var metadata = parsed.RootElement.GetProperty("metadata");
            return new StoredMeta(Map(metadata, "labels"), Map(metadata, "annotations"), Text(metadata, "deletionTimestamp"), Grace(metadata));
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException("The stored Pod cannot be read: " + unreadable.Message, unreadable);
        }
    }

    private static string? Text(JsonElement metadata, string name) =>
        metadata.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.String ? field.GetString() : null;

    private static int? Grace(JsonElement metadata) =>
        metadata.TryGetProperty("deletionGracePeriodSeconds", out var field) && field.TryGetInt32(out var seconds) ? seconds : null;

    private static ImmutableSortedDictionary<string, string> Map(JsonElement metadata, string name) =>
        metadata.TryGetProperty(name, out var map) && map.ValueKind == JsonValueKind.Object
            ? LabelMap.Empty.AddRange(map.EnumerateObject().Select(pair => KeyValuePair.Create(pair.Name, pair.Value.GetString() ?? "")))
            : LabelMap.Empty;
}
