using System.Globalization;
using System.Text.Json.Nodes;

namespace Mesh.ApiServer.Patching;

/// <summary>A place in a document (RFC 6901).</summary>
internal sealed class JsonPointer
{
    private readonly string[] _parts;

    private JsonPointer(string[] parts)
    {
        _parts = parts;
    }

    public int Depth => _parts.Length;

    public bool IsRoot => _parts.Length == 0;

    public string Last => _parts[^1];

    public static JsonPointer? Parse(string? text)
    {
        if (text is null || (text.Length > 0 && text[0] != '/'))
        {
            return null;
        }

        var parts = text.Length == 0 ? [] : text[1..].Split('/');
        return new(
        [
            .. parts.Select(part => part
                .Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal)),
        ]);
    }

    public bool IsInside(JsonPointer other) => _parts.Length > other._parts.Length && _parts.AsSpan().StartsWith(other._parts);

    /// <summary>The object or list that holds the place, null when it does not exist.</summary>
    public JsonNode? FindParent(JsonNode? root) => Walk(root, _parts.AsSpan(..^1), out var found) ? found : null;

    /// <summary>False when nothing is there; a null value is something.</summary>
    public bool TryFind(JsonNode? root, out JsonNode? found) => Walk(root, _parts, out found);

    /// <summary>An index into a list as RFC 6901 §4 spells it: no sign, no leading zero.</summary>
    public static int? Index(string part) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && (part.Length == 1 || part[0] != '0') ? index : null;

    private static bool Walk(JsonNode? root, ReadOnlySpan<string> parts, out JsonNode? found)
    {
        found = root;
        foreach (var part in parts)
        {
            switch (found)
            {
                case JsonObject json when json.TryGetPropertyValue(part, out var member):
                    found = member;
                    break;
                case JsonArray list when Index(part) is { } index && index < list.Count:
                    found = list[index];
                    break;
                default:
                    return false;
            }
        }

        return true;
    }
}
