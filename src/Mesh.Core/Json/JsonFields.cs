using System.Text.Json;

namespace Mesh.Core.Json;

/// <summary>
/// Reads fields of an admitted document. What is absent or null reads as nothing, so that chains need no checks;
/// what has another type than the field is a <see cref="FormatException"/> that names the field.
/// </summary>
public static class JsonFields
{
    public static T Read<T>(ReadOnlyMemory<byte> document, string kind, Func<JsonElement, T> read)
    {
        try
        {
            using var parsed = JsonDocument.Parse(document);
            var root = parsed.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.Text("kind") is { } told && told != kind)
            {
                throw new FormatException($"The document is not a {kind}.");
            }

            return read(root);
        }
        catch (JsonException e)
        {
            throw new FormatException($"The {kind} is not JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // An item of another type, or a string with a lone surrogate escape: legal JSON and no text.
            throw new FormatException($"The {kind} has a value that is not what its field holds: {e.Message}", e);
        }
    }

    public static JsonElement Child(this JsonElement parent, string name) => Field(parent, name, JsonValueKind.Object);

    public static string? Text(this JsonElement parent, string name)
    {
        var field = Field(parent, name, JsonValueKind.String);
        return field.ValueKind == JsonValueKind.Undefined ? null : field.GetString();
    }

    public static string RequiredText(this JsonElement parent, string name) =>
        parent.Text(name) is { Length: > 0 } text ? text : throw new FormatException($"'{name}' is missing.");

    public static int? Number(this JsonElement parent, string name)
    {
        var field = Field(parent, name, JsonValueKind.Number);
        if (field.ValueKind == JsonValueKind.Undefined)
        {
            return null;
        }

        return field.TryGetInt32(out var number) ? number : throw new FormatException($"'{name}' is not a whole number.");
    }

    public static bool Flag(this JsonElement parent, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out var field))
        {
            return false;
        }

        return field.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null => false,
            _ => throw new FormatException($"'{name}' is not a boolean."),
        };
    }

    public static JsonElement.ArrayEnumerator Items(this JsonElement parent, string name) =>
        Field(parent, name, JsonValueKind.Array) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : default;

    public static bool Has(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object
        && parent.TryGetProperty(name, out var field)
        && field.ValueKind != JsonValueKind.Null;

    private static JsonElement Field(JsonElement parent, string name, JsonValueKind kind)
    {
        if (parent.ValueKind == JsonValueKind.Undefined)
        {
            return default;
        }

        if (parent.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"What holds '{name}' is not an object.");
        }

        if (!parent.TryGetProperty(name, out var field) || field.ValueKind == JsonValueKind.Null)
        {
            return default;
        }

        return field.ValueKind == kind ? field : throw new FormatException($"'{name}' is not of type {kind}.");
    }
}
