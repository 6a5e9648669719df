using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Names;

namespace Mesh.Core.Labels;

/// <summary>Reads the requirements of a label selector (apimachinery <c>labels/selector.go</c>).</summary>
internal sealed class SelectorReader(string text)
{
    private int _at;

    public string? Problem { get; private set; }

    public bool IsAtEnd
    {
        get
        {
            SkipSpace();
            return _at == text.Length;
        }
    }

    public string Rest => text[_at..];

    public bool TrySkip(char expected)
    {
        SkipSpace();
        if (_at == text.Length || text[_at] != expected)
        {
            return false;
        }

        _at++;
        return true;
    }

    public bool TryReadRequirement([NotNullWhen(true)] out LabelRequirement? requirement)
    {
        requirement = null;
        var isNegated = TrySkip('!');
        var key = Word();
        if (!NameRules.IsQualifiedName(key))
        {
            Problem = key.Length == 0
                ? $"unable to parse requirement: found '{Rest}', expected: identifier"
                : $"unable to parse requirement: key '{key}': {NameRules.QualifiedNameText}";
            return false;
        }

        requirement = isNegated ? new LabelRequirement.Missing(key) : Compared(key);
        return requirement is not null;
    }

    private LabelRequirement? Compared(string key)
    {
        SkipSpace();
        if (_at == text.Length || text[_at] == ',')
        {
            return new LabelRequirement.Exists(key);
        }

        if (TrySkip('='))
        {
            TrySkip('=');
            return Value() is { } value ? new LabelRequirement.In(key, [value]) : null;
        }

        if (TrySkip('!'))
        {
            return TrySkip('=') && Value() is { } value ? new LabelRequirement.NotIn(key, [value]) : Fail("'='");
        }

        return Word() switch
        {
            "in" => Values() is { } values ? new LabelRequirement.In(key, values) : null,
            "notin" => Values() is { } values ? new LabelRequirement.NotIn(key, values) : null,
            var other => Fail("in, notin, =, ==, !=", other),
        };
    }

    private ImmutableArray<string>? Values()
    {
        if (!TrySkip('('))
        {
            Fail("'('");
            return null;
        }

        var values = ImmutableArray.CreateBuilder<string>();
        do
        {
            if (Value() is not { } value)
            {
                return null;
            }

            values.Add(value);
        }
        while (TrySkip(','));

        if (!TrySkip(')'))
        {
            Fail("',' or ')'");
            return null;
        }

        return values.DrainToImmutable();
    }

    private string? Value()
    {
        var value = Word();
        if (NameRules.IsLabelValue(value))
        {
            return value;
        }

        Problem = $"unable to parse requirement: value '{value}': {NameRules.LabelValueText}";
        return null;
    }

    private string Word()
    {
        SkipSpace();
        var start = _at;
        while (_at < text.Length && !IsSpecial(text[_at]))
        {
            _at++;
        }

        return text[start.._at];
    }

    private LabelRequirement? Fail(string expected, string? found = null)
    {
        Problem ??= $"unable to parse requirement: found '{found ?? Rest}', expected: {expected}";
        return null;
    }

    private void SkipSpace()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }
    }

    private static bool IsSpecial(char c) => char.IsWhiteSpace(c) || c is '=' or '!' or '(' or ')' or ',' or '<' or '>';
}
