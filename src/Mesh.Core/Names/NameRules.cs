using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.Core.Names;

/// <summary>
/// The remaining rules for names (apimachinery <c>validation.go</c>), each with the sentence that the API answers when it is
/// broken. DNS labels and subdomains have types of their own.
/// </summary>
public static class NameRules
{
    public const int MaxLabelValue = 63;

    private const int MaxPortName = 15;

    public const string Dns1035Text =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    public const string Dns1123LabelText =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

    public const string Dns1123SubdomainText =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    public const string QualifiedNameText =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    public const string LabelValueText =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    private static readonly SearchValues<char> NamePartCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    private static readonly SearchValues<char> PortNameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>RFC 1035 label: as RFC 1123, but a letter first. Names of Services.</summary>
    public static bool IsDns1035Label([NotNullWhen(true)] string? text) => DnsLabel.IsValid(text) && char.IsAsciiLetterLower(text[0]);

    /// <summary>An optional DNS subdomain and a slash, then up to 63 characters: keys of labels, annotations, appProtocol.</summary>
    public static bool IsQualifiedName([NotNullWhen(true)] string? text)
    {
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        return text is not null
            && (slash < 0 || DnsSubdomain.IsValid(text[..slash]))
            && IsNamePart(text.AsSpan(slash + 1));
    }

    /// <summary>Empty, or up to 63 letters, digits, <c>-_.</c>, alphanumeric at both ends.</summary>
    public static bool IsLabelValue([NotNullWhen(true)] string? text) => text is not null && (text.Length == 0 || IsNamePart(text));

    /// <summary>
    /// RFC 6335 §5.1 service name: container ports and named target ports. Every rule that is broken, empty when none is.
    /// </summary>
    public static IReadOnlyList<string> PortNameProblems(string text)
    {
        var problems = new List<string>();
        if (text.Length > MaxPortName)
        {
            problems.Add($"must be no more than {MaxPortName} characters");
        }

        if (text.Length == 0 || text.AsSpan().ContainsAnyExcept(PortNameCharacters))
        {
            problems.Add("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
        }

        if (!text.Any(char.IsAsciiLetterLower))
        {
            problems.Add("must contain at least one letter (a-z)");
        }

        if (text.Contains("--", StringComparison.Ordinal))
        {
            problems.Add("must not contain consecutive hyphens");
        }

        if (text.StartsWith('-') || text.EndsWith('-'))
        {
            problems.Add("must not begin or end with a hyphen");
        }

        return problems;
    }

    public static bool IsPortName([NotNullWhen(true)] string? text) => text is not null && PortNameProblems(text).Count == 0;

    /// <summary>A subdomain behind <c>*.</c>: hosts of Ingress rules.</summary>
    public static bool IsWildcardSubdomain([NotNullWhen(true)] string? text) =>
        text is not null && text.StartsWith("*.", StringComparison.Ordinal) && DnsSubdomain.IsValid(text[2..]);

    private static bool IsNamePart(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxLabelValue
        && char.IsAsciiLetterOrDigit(text[0])
        && char.IsAsciiLetterOrDigit(text[^1])
        && !text.ContainsAnyExcept(NamePartCharacters);
}
