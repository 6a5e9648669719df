namespace Mesh.Client.Names;

/// <summary>RFC 1123 names as Kubernetes takes them.</summary>
internal static class DnsNames
{
    private const int MaxLabel = 63;
    private const int MaxSubdomain = 253;

    /// <summary>1 to 63 of <c>a-z 0-9 -</c>, first and last alphanumeric.</summary>
    public static bool IsLabel(string text) =>
        text.Length is > 0 and <= MaxLabel
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && text[0] != '-' && text[^1] != '-';

    /// <summary>Labels joined by dots, at most 253 characters.</summary>
    public static bool IsSubdomain(string text) => text.Length <= MaxSubdomain && text.Split('.').All(IsLabel);
}
