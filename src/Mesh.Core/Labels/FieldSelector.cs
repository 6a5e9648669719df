using System.Collections.Immutable;

namespace Mesh.Core.Labels;

/// <summary>A field selector of the API: <c>metadata.name=web,status.phase!=Failed</c>. Which fields a kind has is the API's.</summary>
public sealed record FieldSelector(ImmutableArray<FieldRequirement> Requirements)
{
    public static FieldSelector Everything { get; } = new([]);

    /// <summary>The value that a field must have, null when it is not bound to one: lets a list of one object be a get.</summary>
    public string? Exactly(string field) =>
        Requirements.FirstOrDefault(requirement => requirement.Field == field && requirement.IsEqual)?.Value;

    /// <param name="valueOf">The field's value of the object, empty when it has none.</param>
    public bool Matches(Func<string, string> valueOf)
    {
        foreach (var requirement in Requirements)
        {
            if (valueOf(requirement.Field) == requirement.Value != requirement.IsEqual)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Empty text selects everything. A backslash quotes <c>\ , =</c> in a value. <paramref name="problem"/>: a sentence for a 400.</summary>
    public static bool TryParse(string? text, out FieldSelector selector, out string? problem)
    {
        selector = Everything;
        problem = null;
        var requirements = ImmutableArray.CreateBuilder<FieldRequirement>();
        foreach (var term in Split(text ?? ""))
        {
            if (term.Length == 0)
            {
                continue; // as the API server does
            }

            if (Requirement(term) is not { } requirement)
            {
                problem = $"invalid selector: '{text}'; can't understand '{term}'";
                return false;
            }

            requirements.Add(requirement);
        }

        selector = new FieldSelector(requirements.DrainToImmutable());
        return true;
    }

    private static IEnumerable<string> Split(string text)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == ',')
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }

    private static FieldRequirement? Requirement(string term)
    {
        foreach (var (sign, isEqual) in new[] { ("!=", false), ("==", true), ("=", true) })
        {
            var at = term.IndexOf(sign, StringComparison.Ordinal);
            if (at > 0 && at == term.IndexOfAny(['=', '!']) && Unquote(term[(at + sign.Length)..]) is { } value)
            {
                return new FieldRequirement(term[..at], isEqual, value);
            }
        }

        return null;
    }

    private static string? Unquote(string value)
    {
        var plain = new System.Text.StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\')
            {
                i++;
                if (i == value.Length || value[i] is not ('\\' or ',' or '='))
                {
                    return null;
                }
            }
            else if (value[i] == '=')
            {
                return null;
            }

            plain.Append(value[i]);
        }

        return plain.ToString();
    }
}

/// <summary>One requirement of a <see cref="FieldSelector"/>: the field has the value, or has not.</summary>
public sealed record FieldRequirement(string Field, bool IsEqual, string Value);
