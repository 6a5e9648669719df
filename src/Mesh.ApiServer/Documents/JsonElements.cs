using System.Globalization;
using System.Text.Json;

namespace Mesh.ApiServer.Documents;

/// <summary>Short ways to read parts of a stored document.</summary>
internal static class JsonElements
{
    public static JsonElement At(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    public static JsonElement At(this JsonElement element, string first, string second) => element.At(first).At(second);

    public static JsonElement At(this JsonElement element, string first, string second, string third) =>
        element.At(first).At(second).At(third);

    /// <summary>A string as it is, numbers and booleans as written; empty for everything else.</summary>
    public static string Text(this JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => element.GetRawText(),
        _ => "",
    };

    public static string TextOr(this JsonElement element, string otherwise) => element.Text() is { Length: > 0 } text ? text : otherwise;

    public static bool Flag(this JsonElement element) => element.ValueKind == JsonValueKind.True;

    public static IEnumerable<JsonElement> Items(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : Enumerable.Empty<JsonElement>();

    public static IEnumerable<JsonProperty> Members(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : Enumerable.Empty<JsonProperty>();

    public static DateTimeOffset? Time(this JsonElement element) =>
        DateTimeOffset.TryParse(element.Text(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    public static string ObjectName(this JsonElement document) => document.At("metadata", "name").Text();

    /// <summary>The condition of a type, default when the object has none.</summary>
    public static JsonElement Condition(this JsonElement document, string type) =>
        document.At("status", "conditions").Items().FirstOrDefault(condition => condition.At("type").Text() == type);
}
