using Mesh.Core.Names;

namespace Mesh.Agent.Registrations;

/// <summary>What Kubernetes accepts as the keys and values of labels and annotations (apimachinery <c>IsQualifiedName</c>, <c>IsValidLabelValue</c>).</summary>
internal static class LabelRules
{
    private const int MaxNameLength = 63;

    public static bool IsKey(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return (slash < 0 || DnsSubdomain.IsValid(key[..slash])) && IsName(key.AsSpan(slash + 1));
    }

    public static bool IsValue(string value) => value.Length == 0 || IsName(value);

    private static bool IsName(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxNameLength || !char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1]))
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
