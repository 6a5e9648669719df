namespace Mesh.Client.Names;

/// <summary>Names of labels, annotations and ports (apimachinery <c>validation.go</c>).</summary>
internal static class MetadataNames
{
    /// <summary>Of all annotations that are Mesh's own.</summary>
    public const string OwnPrefix = "mesh.internal/";

    private const int MaxNamePart = 63;
    private const int MaxPortName = 15;

    /// <summary>An optional DNS subdomain and a slash, then up to 63 characters: keys of labels and annotations.</summary>
    public static bool IsQualifiedName(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return (slash < 0 || DnsNames.IsSubdomain(text[..slash])) && IsNamePart(text.AsSpan(slash + 1));
    }

    /// <summary>Empty, or up to 63 letters, digits, <c>-_.</c>, alphanumeric at both ends.</summary>
    public static bool IsLabelValue(string text) => text.Length == 0 || IsNamePart(text);

    /// <summary>RFC 6335 §5.1 service name.</summary>
    public static bool IsPortName(string text) =>
        text.Length is > 0 and <= MaxPortName
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && text.Any(char.IsAsciiLetterLower)
        && text[0] != '-' && text[^1] != '-' && !text.Contains("--", StringComparison.Ordinal);

    private static bool IsNamePart(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxNamePart || !char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1]))
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            {
                return false;
            }
        }

        return true;
    }
}
