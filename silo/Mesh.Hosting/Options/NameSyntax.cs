namespace Mesh.Hosting.Options;

/// <summary>The syntax of names that options carry (RFC 1123, as Kubernetes applies it to Nodes).</summary>
internal static class NameSyntax
{
    public static bool IsSubdomain(string text) => text.Length is > 0 and <= 253 && text.Split('.').All(IsLabel);

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63
        && label[0] != '-'
        && label[^1] != '-'
        && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
