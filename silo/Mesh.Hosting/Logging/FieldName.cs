using System.Collections.Concurrent;
using System.Text.Json;

namespace Mesh.Hosting.Logging;

/// <summary>
/// The one place that decides how a field of a log line is called: in snake_case, as <c>trace_id</c> is, however the
/// template writes it; and never as what every line has.
/// </summary>
internal static class FieldName
{
    // Templates are constants of programs; a package that made names of values would fill memory.
    private const int MostKept = 4096;

    private static readonly ConcurrentDictionary<string, JsonEncodedText> Known = new(StringComparer.Ordinal);

    public static JsonEncodedText Of(string name)
    {
        if (Known.TryGetValue(name, out var known))
        {
            return known;
        }

        var made = JsonEncodedText.Encode(Make(name), LogEncoder.Instance);
        if (Known.Count < MostKept)
        {
            Known.TryAdd(name, made);
        }

        return made;
    }

    private static string Make(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name) switch
    {
        var own when own is "time" or "level" or "category" or "event" or "message" or "exception" => "field_" + own,
        var other => other,
    };
}
