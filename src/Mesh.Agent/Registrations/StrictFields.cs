using System.Text.Json;

namespace Mesh.Agent.Registrations;

/// <summary>Reads the members of one JSON object of a request; what does not fit is a <see cref="FormatException"/> that names the field.</summary>
internal static class StrictFields
{
    /// <param name="path">Of the object; empty for the body itself.</param>
    public static void Only(JsonElement root, string path, params ReadOnlySpan<string> known)
    {
        foreach (var field in root.EnumerateObject())
        {
            if (!known.Contains(field.Name))
            {
                throw new FormatException($"{At(path)}The field '{field.Name}' is not known here; known are {string.Join(", ", known!)}.");
            }
        }
    }

    /// <summary>Null when the field is absent or null.</summary>
    public static JsonElement? Optional(JsonElement item, string name) =>
        item.TryGetProperty(name, out var field) && field.ValueKind != JsonValueKind.Null ? field : null;

    public static string? Text(JsonElement item, string name, string path) => Optional(item, name) is not { } field
        ? null
        : field.ValueKind == JsonValueKind.String ? field.GetString() : throw new FormatException($"{path}.{name}: must be a string.");

    public static bool TryNumber(JsonElement field, out int value)
    {
        value = 0;
        return field.ValueKind == JsonValueKind.Number && field.TryGetInt32(out value);
    }

    private static string At(string path) => path.Length == 0 ? "" : path + ": ";
}
