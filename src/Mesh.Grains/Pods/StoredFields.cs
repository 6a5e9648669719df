using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>Reads single fields of a stored document without parsing the rest into objects, and opens one for change.</summary>
internal static class StoredFields
{
    /// <summary>The text at a path of member names; null when it is absent or no text.</summary>
    public static string? Text(ReadOnlyMemory<byte> document, params ReadOnlySpan<string> path)
    {
        var reader = new Utf8JsonReader(document.Span);
        return DocumentPath.TryEnter(ref reader, path) && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
    }

    /// <summary>The value at a path of member names; null when it is absent.</summary>
    public static JsonNode? Node(ReadOnlyMemory<byte> document, params ReadOnlySpan<string> path)
    {
        var reader = new Utf8JsonReader(document.Span);
        return DocumentPath.TryEnter(ref reader, path) ? JsonNode.Parse(ref reader) : null;
    }

    /// <summary>A moment as API objects write it (RFC 3339, whole seconds).</summary>
    public static string Time(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static JsonObject Open(ReadOnlyMemory<byte> document) =>
        JsonNode.Parse(document.Span) as JsonObject ?? throw new FormatException("The document is not an object.");

    public static ReadOnlyMemory<byte> Close(JsonNode document) => JsonSerializer.SerializeToUtf8Bytes(document, MeshJson.Options);

    /// <summary>The object member of that name, made when it is absent.</summary>
    public static JsonObject Child(this JsonObject parent, string name)
    {
        if (parent[name] is JsonObject child)
        {
            return child;
        }

        child = [];
        parent[name] = child;
        return child;
    }
}
