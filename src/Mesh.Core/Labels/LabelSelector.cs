using System.Collections.Immutable;

namespace Mesh.Core.Labels;

/// <summary>A label selector of the API: <c>app=web,tier!=db,env in (a,b),!canary</c>. Every requirement must hold.</summary>
public sealed record LabelSelector(ImmutableArray<LabelRequirement> Requirements)
{
    public static LabelSelector Everything { get; } = new([]);

    /// <summary>What a client's selector may be long; longer ones are refused.</summary>
    public const int MaxLength = 64 * 1024;

    public bool Matches(IReadOnlyDictionary<string, string> labels) => Matches(labels.GetValueOrDefault);

    /// <param name="valueOf">The label's value of the object, null when it has none of that key.</param>
    public bool Matches(Func<string, string?> valueOf)
    {
        foreach (var requirement in Requirements)
        {
            if (!requirement.IsMet(valueOf(requirement.Key)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Empty text selects everything. <paramref name="problem"/>: a sentence for a 400.</summary>
    public static bool TryParse(string? text, out LabelSelector selector, out string? problem)
    {
        selector = Everything;
        problem = null;
        if (string.IsNullOrWhiteSpace(text))
        {
            return true;
        }

        if (text.Length > MaxLength)
        {
            problem = $"the label selector is longer than {MaxLength} characters";
            return false;
        }

        var reader = new SelectorReader(text);
        var requirements = ImmutableArray.CreateBuilder<LabelRequirement>();
        do
        {
            if (!reader.TryReadRequirement(out var requirement))
            {
                problem = reader.Problem;
                return false;
            }

            requirements.Add(requirement);
        }
        while (reader.TrySkip(','));

        if (!reader.IsAtEnd)
        {
            problem = $"unable to parse requirement: found '{reader.Rest}', expected: ',' or 'end of string'";
            return false;
        }

        selector = new LabelSelector(requirements.DrainToImmutable());
        return true;
    }
}

/// <summary>One requirement of a <see cref="LabelSelector"/>.</summary>
public abstract record LabelRequirement(string Key)
{
    /// <param name="value">The label's value, null when the object has none of that key.</param>
    public abstract bool IsMet(string? value);

    public sealed record Exists(string Key) : LabelRequirement(Key)
    {
        public override bool IsMet(string? value) => value is not null;
    }

    public sealed record Missing(string Key) : LabelRequirement(Key)
    {
        public override bool IsMet(string? value) => value is null;
    }

    /// <summary><c>=</c>, <c>==</c> and <c>in</c>.</summary>
    public sealed record In(string Key, ImmutableArray<string> Values) : LabelRequirement(Key)
    {
        public override bool IsMet(string? value) => value is not null && Values.Contains(value);
    }

    /// <summary><c>!=</c> and <c>notin</c>: also met by what lacks the key.</summary>
    public sealed record NotIn(string Key, ImmutableArray<string> Values) : LabelRequirement(Key)
    {
        public override bool IsMet(string? value) => value is null || !Values.Contains(value);
    }
}
