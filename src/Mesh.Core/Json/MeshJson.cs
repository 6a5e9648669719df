using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.Core.Json;

/// <summary>
/// How every part of Mesh writes JSON: text stays as it is. An escape that JSON allows and does not need is no JSON to some
/// readers: Go's Quantity takes a document's bytes as they stand, and <c>1e\u002B3</c> is no number to it.
/// </summary>
public static class MeshJson
{
    /// <summary>Nothing here is put into a page of HTML, which is what the stricter encoder is for.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static JsonSerializerOptions Options { get; } = new() { Encoder = Encoder };

    /// <summary>Absent fields are left out.</summary>
    public static JsonSerializerOptions WithoutNulls { get; } = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = Encoder,
    };

    /// <summary>Names of members begin with a small letter.</summary>
    public static JsonSerializerOptions Web { get; } = new(JsonSerializerDefaults.Web) { Encoder = Encoder };

    public static JsonWriterOptions Compact { get; } = new() { Encoder = Encoder };

    public static JsonWriterOptions Pretty { get; } = new() { Encoder = Encoder, Indented = true };

    /// <summary>For writers that put together what was checked before.</summary>
    public static JsonWriterOptions Unchecked { get; } = new() { Encoder = Encoder, SkipValidation = true };
}
