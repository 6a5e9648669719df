using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.NodeLink;

/// <summary>The options as the Welcome carries them: JSON, with a hash by which both ends tell whether they are the same.</summary>
public static class NodeOptionsDocument
{
    public static byte[] Write(NodeOptions options) => JsonSerializer.SerializeToUtf8Bytes(options, NodeOptionsJson.Default.NodeOptions);

    /// <exception cref="FormatException">The bytes are not NodeOptions.</exception>
    public static NodeOptions Read(ReadOnlySpan<byte> document)
    {
        try
        {
            return JsonSerializer.Deserialize(document, NodeOptionsJson.Default.NodeOptions) ?? throw new FormatException("The node's options are null.");
        }
        catch (JsonException unreadable)
        {
            throw new FormatException("The node's options cannot be read: " + unreadable.Message, unreadable);
        }
    }

    /// <summary>Never 0, which means "none yet".</summary>
    public static ulong Hash(ReadOnlySpan<byte> document) => XxHash3.HashToUInt64(document) | 1;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeOptions))]
internal sealed partial class NodeOptionsJson : JsonSerializerContext;
