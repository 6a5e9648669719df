using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>Which names a kind's objects may have, with Kubernetes' sentence for those that they may not.</summary>
public sealed record NameRule(Func<string, bool> IsValid, int MaxLength, string Message)
{
    public static NameRule DnsLabel { get; } = new(Core.Names.DnsLabel.IsValid, Core.Names.DnsLabel.MaxLength, NameRules.Dns1123LabelText);

    public static NameRule DnsSubdomain { get; } =
        new(Core.Names.DnsSubdomain.IsValid, Core.Names.DnsSubdomain.MaxLength, NameRules.Dns1123SubdomainText);

    public static NameRule Dns1035Label { get; } = new(NameRules.IsDns1035Label, Core.Names.DnsLabel.MaxLength, NameRules.Dns1035Text);

    /// <summary>The sentence that fits: too long, or malformed.</summary>
    public string Explain(string text) => text.Length > MaxLength ? $"must be no more than {MaxLength} bytes" : Message;
}
