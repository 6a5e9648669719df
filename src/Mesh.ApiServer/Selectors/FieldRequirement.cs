using System.Text.Json;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Selectors;

/// <summary>One part of a field selector (apimachinery pkg/fields): <c>path=value</c> or <c>path!=value</c>.</summary>
internal sealed record FieldRequirement(string Path, string Value, bool IsNegated)
{
    private const int MaxRequirements = 64;

    public static Outcome<List<FieldRequirement>> ParseAll(Resource resource, string selector)
    {
        var all = new List<FieldRequirement>();
        foreach (var part in selector.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || all.Count == MaxRequirements)
            {
                return ApiStatus.BadRequest($"invalid selector: '{part}'; can't understand '{part}'");
            }

            var isNegated = part[equals - 1] == '!';
            var value = part[(equals + 1)..];
            var path = part[..(isNegated ? equals - 1 : equals)].Trim();
            if (!IsKnown(resource, path))
            {
                return ApiStatus.BadRequest($"field label not supported: {path}");
            }

            all.Add(new(path, value.StartsWith('=') ? value[1..].Trim() : value.Trim(), isNegated));
        }

        return all;
    }

    public bool Matches(JsonElement document)
    {
        var found = document;
        foreach (var part in Path.Split('.'))
        {
            found = found.At(part);
        }

        // An absent boolean is false, as in Go.
        var text = found.ValueKind == JsonValueKind.Object ? found.At("component").Text() : found.Text();
        var has = text.Length == 0 && Path is "spec.hostNetwork" or "spec.unschedulable" ? found.TextOr("false") : text;
        return has == Value != IsNegated;
    }

    private static bool IsKnown(Resource resource, string path) =>
        path == "metadata.name" || (path == "metadata.namespace" && resource.IsNamespaced) || resource.SelectableFields.Contains(path);
}
