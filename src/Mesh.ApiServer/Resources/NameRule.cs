namespace Mesh.ApiServer.Resources;

/// <summary>Which names are legal, with Kubernetes' sentence for those that are not (apimachinery pkg/util/validation).</summary>
public sealed record NameRule(Func<string, bool> IsValid, int MaxLength, string Message)
{
    public static NameRule DnsLabel { get; } = new(
        Core.Names.DnsLabel.IsValid,
        Core.Names.DnsLabel.MaxLength,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')");

    public static NameRule DnsSubdomain { get; } = new(
        Core.Names.DnsSubdomain.IsValid,
        Core.Names.DnsSubdomain.MaxLength,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");

    public static NameRule Dns1035Label { get; } = new(
        static text => Core.Names.DnsLabel.IsValid(text) && char.IsAsciiLetterLower(text[0]),
        Core.Names.DnsLabel.MaxLength,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')");

    /// <summary>The sentence that fits: too long, or malformed.</summary>
    public string Explain(string text) => text.Length > MaxLength ? $"must be no more than {MaxLength} bytes" : Message;
}
