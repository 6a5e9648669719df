using System.Text.Json;

namespace Mesh.Grains.Pods;

/// <summary>Reads what may be absent, or of another kind than it should be.</summary>
internal static class Elements
{
    /// <summary>The member of that name; undefined when there is none.</summary>
    public static JsonElement Member(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    /// <summary>The text of the member of that name; null when it is absent or no text.</summary>
    public static string? Text(this JsonElement parent, string name) =>
        parent.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static JsonElement.ArrayEnumerator Items(this JsonElement list) => list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    public static JsonElement.ObjectEnumerator Members(this JsonElement parent) => parent.ValueKind == JsonValueKind.Object ? parent.EnumerateObject() : default;
}
