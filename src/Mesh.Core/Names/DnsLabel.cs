using System.Diagnostics.CodeAnalysis;

namespace Mesh.Core.Names;

/// <summary>RFC 1123 label: 1 to 63 of <c>a-z 0-9 -</c>, first and last alphanumeric.</summary>
public static class DnsLabel
{
    public const int MaxLength = 63;

    public static bool IsValid([NotNullWhen(true)] string? text) => text is not null && IsValid(text.AsSpan());

    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxLength || !char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1]))
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return false;
            }
        }

        return true;
    }
}
