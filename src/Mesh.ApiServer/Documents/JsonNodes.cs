using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;

namespace Mesh.ApiServer.Documents;

/// <summary>Short ways to read and change the parts of a document while it is being admitted.</summary>
internal static class JsonNodes
{
    public static JsonNode? At(this JsonNode? node, string name) =>
        node is JsonObject json && json.TryGetPropertyValue(name, out var value) ? value : null;

    public static JsonNode? At(this JsonNode? node, string first, string second) => node.At(first).At(second);

    public static JsonNode? At(this JsonNode? node, string first, string second, string third) => node.At(first).At(second).At(third);

    /// <summary>The string, or null when it is none.</summary>
    public static string? AsText(this JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The whole number, or null when it is none. A value made in code is of its own type: an int is no long to it.</summary>
    public static long? AsNumber(this JsonNode? node) => node switch
    {
        JsonValue value when value.TryGetValue<long>(out var number) => number,
        JsonValue value when value.TryGetValue<int>(out var small) => small,
        _ => null,
    };

    public static bool AsBoolean(this JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    public static IEnumerable<JsonNode?> AsList(this JsonNode? node) => node as JsonArray ?? Enumerable.Empty<JsonNode?>();

    /// <summary>Absent, null, or a zero value that a Go client writes for "not set".</summary>
    public static bool IsUnset(this JsonNode? node) => node switch
    {
        null => true,
        JsonObject json => json.Count == 0,
        JsonArray list => list.Count == 0,
        _ => node.AsText() is "",
    };

    public static void SetDefault(this JsonObject target, string name, JsonNode value)
    {
        if (target.At(name).IsUnset())
        {
            target[name] = value;
        }
    }

    /// <summary>The object under <paramref name="name"/>, made when absent.</summary>
    public static JsonObject Child(this JsonObject target, string name)
    {
        if (target[name] is not JsonObject child)
        {
            child = [];
            target[name] = child;
        }

        return child;
    }

    /// <summary>Puts a copy of what the other object has there, or removes it when that has nothing.</summary>
    public static void CopyFrom(this JsonObject target, JsonNode? other, string name)
    {
        if (other.At(name) is { } value)
        {
            target[name] = value.DeepClone();
        }
        else
        {
            target.Remove(name);
        }
    }

    public static byte[] ToUtf8(this JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, MeshJson.Compact))
        {
            node.WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
