using System.Collections.Immutable;
using System.Text.Json;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Selectors;

/// <summary>
/// A label selector as clients write it (apimachinery pkg/labels): requirements joined by commas, all of which must hold.
/// <c>!=</c> and <c>notin</c> also match objects without the key.
/// </summary>
internal sealed class LabelSelector
{
    private const int MaxRequirements = 64;

    private readonly ImmutableArray<Requirement> _requirements;

    private LabelSelector(ImmutableArray<Requirement> requirements)
    {
        _requirements = requirements;
    }

    public bool IsEmpty => _requirements.IsEmpty;

    public static Outcome<LabelSelector> Parse(string text)
    {
        var requirements = ImmutableArray.CreateBuilder<Requirement>();
        foreach (var part in SplitOutsideParentheses(text).Select(part => part.Trim()))
        {
            if (part.Length == 0 && text.Trim().Length == 0)
            {
                continue;
            }

            if (requirements.Count == MaxRequirements || ParseOne(part) is not { } requirement)
            {
                return ApiStatus.BadRequest($"unable to parse requirement: found '{part}' in label selector '{text}'");
            }

            requirements.Add(requirement);
        }

        return new LabelSelector(requirements.ToImmutable());
    }

    public bool Matches(JsonElement labels) => _requirements.All(requirement => requirement.Matches(labels));

    private static IEnumerable<string> SplitOutsideParentheses(string text)
    {
        var start = 0;
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (text[i] == ',' && depth == 0)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }

    private static Requirement? ParseOne(string part)
    {
        if (part.StartsWith('!'))
        {
            return Of(part[1..], isNegated: true, null);
        }

        if (part.EndsWith(')'))
        {
            var open = part.IndexOf('(', StringComparison.Ordinal);
            var words = open < 0 ? [] : part[..open].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            return words is [var key, "in" or "notin"]
                ? Of(key, words[1] == "notin", [.. part[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries)])
                : null;
        }

        var equals = part.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            return Of(part, isNegated: false, null);
        }

        var isNegated = equals > 0 && part[equals - 1] == '!';
        var value = part[(equals + 1)..];
        return Of(
            part[..(isNegated ? equals - 1 : equals)],
            isNegated,
            [(value.StartsWith('=') && !isNegated ? value[1..] : value).Trim()]);
    }

    private static Requirement? Of(string key, bool isNegated, ImmutableHashSet<string>? values) =>
        QualifiedName.IsValid(key.Trim()) && (values is null || values.All(QualifiedName.IsLabelValue))
            ? new(key.Trim(), isNegated, values)
            : null;

    /// <param name="Values">Null: only whether the key is there.</param>
    private sealed record Requirement(string Key, bool IsNegated, ImmutableHashSet<string>? Values)
    {
        public bool Matches(JsonElement labels)
        {
            var value = labels.At(Key);
            var holds = value.ValueKind == JsonValueKind.String && (Values is null || Values.Contains(value.GetString()!));
            return holds != IsNegated;
        }
    }
}
