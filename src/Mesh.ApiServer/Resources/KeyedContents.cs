using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;

namespace Mesh.ApiServer.Resources;

/// <summary>What ConfigMaps and Secrets share: named contents of which a process can make files, up to 1 MiB together.</summary>
internal static class KeyedContents
{
    /// <summary>core.MaxSecretSize.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int MaxKeyLength = 253;

    /// <summary>The bytes that base64 text stands for; a member that is no such text counts as nothing, as it was refused before.</summary>
    public static byte[] Decode(JsonNode? text)
    {
        var encoded = text.AsText() ?? "";
        var buffer = new byte[(encoded.Length * 3 / 4) + 3];
        return Convert.TryFromBase64String(encoded, buffer, out var length) ? buffer[..length] : [];
    }

    /// <summary>Writes base64 as Go does, without the line breaks that people leave in it: the same contents are the same text.</summary>
    public static void Straighten(JsonNode? encoded)
    {
        if (encoded is JsonObject members)
        {
            foreach (var (key, text) in members.ToList())
            {
                members[key] = Convert.ToBase64String(Decode(text));
            }
        }
    }

    // validation.IsConfigMapKey
    public static void ValidateKeys(string field, JsonNode? members, Causes causes)
    {
        foreach (var key in (members as JsonObject ?? []).Select(member => member.Key))
        {
            var path = $"{field}[{key}]";
            if (key.Length > MaxKeyLength)
            {
                causes.Invalid(path, key, $"must be no more than {MaxKeyLength} bytes");
            }

            if (key.Length == 0 || !key.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.'))
            {
                causes.Invalid(
                    path,
                    key,
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                    + "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
            }

            if (key is "." or "..")
            {
                causes.Invalid(path, key, $"must not be '{key}'");
            }
            else if (key.StartsWith("..", StringComparison.Ordinal))
            {
                causes.Invalid(path, key, "must not start with '..'");
            }
        }
    }

    /// <summary>Contents that were declared immutable stay, and stay so.</summary>
    public static void ValidateImmutable(JsonObject? stored, JsonObject document, Causes causes, params string[] fields)
    {
        if (!stored.At("immutable").AsBoolean())
        {
            return;
        }

        const string Why = "field is immutable when `immutable` is set";
        if (!document.At("immutable").AsBoolean())
        {
            causes.Forbidden("immutable", Why);
        }

        foreach (var field in fields.Where(field => !Same(stored.At(field), document.At(field))))
        {
            causes.Forbidden(field, Why);
        }
    }

    private static bool Same(JsonNode? one, JsonNode? other) =>
        JsonNode.DeepEquals(one, other) || ((one as JsonObject ?? []).Count == 0 && (other as JsonObject ?? []).Count == 0);
}
