using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Mesh.ApiServer.Errors;

namespace Mesh.ApiServer.Documents;

/// <summary>A document as read, with the paths of fields that it has twice (the last one counts, as in Kubernetes).</summary>
internal sealed record ReadDocument(JsonNode? Root, IReadOnlyList<string> Duplicates);

/// <summary>Reads JSON of a client: bounded depth, valid UTF-8, duplicates noticed.</summary>
internal static class DocumentReader
{
    /// <summary>More are not told; the first ones are enough to find the mistake.</summary>
    public const int MaxFindings = 20;

    public static Outcome<ReadDocument> Read(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return ApiStatus.BadRequest("the body is not valid UTF-8");
        }

        var duplicates = new List<string>();
        try
        {
            var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = ApiJson.MaxDepth });
            reader.Read();
            var root = ReadValue(ref reader, DocumentPath.Root, duplicates);
            reader.Read(); // throws when something follows
            return new ReadDocument(root, duplicates);
        }
        catch (JsonException malformed)
        {
            return ApiStatus.BadRequest($"the body is not valid JSON: {malformed.Message}");
        }
        catch (InvalidOperationException loneSurrogate)
        {
            return ApiStatus.BadRequest($"the body is not valid JSON: {loneSurrogate.Message}");
        }
    }

    /// <summary>For documents that were admitted before.</summary>
    public static JsonObject ReadStored(ReadOnlyMemory<byte> document) =>
        JsonNode.Parse(document.Span) as JsonObject ?? throw new FormatException("A stored document is not an object.");

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, DocumentPath path, List<string> duplicates) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader, path, duplicates),
        JsonTokenType.StartArray => ReadArray(ref reader, path, duplicates),
        JsonTokenType.Null => null,
        JsonTokenType.String => JsonValue.Create(reader.GetString()),
        _ => JsonNode.Parse(ref reader),
    };

    private static JsonObject ReadObject(ref Utf8JsonReader reader, DocumentPath path, List<string> duplicates)
    {
        var json = new JsonObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var member = path.Member(name);
            if (json.ContainsKey(name) && duplicates.Count < MaxFindings)
            {
                duplicates.Add(member.ToString());
            }

            reader.Read();
            json[name] = ReadValue(ref reader, member, duplicates);
        }

        return json;
    }

    private static JsonArray ReadArray(ref Utf8JsonReader reader, DocumentPath path, List<string> duplicates)
    {
        var list = new JsonArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            list.Add(ReadValue(ref reader, path.Item(list.Count), duplicates));
        }

        return list;
    }
}
