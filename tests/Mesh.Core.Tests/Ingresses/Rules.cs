using System.Collections.Immutable;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;

namespace Mesh.Core.Tests.Ingresses;

/// <summary>
/// Ingresses in short: <c>host/path</c> means Prefix, <c>=host/path</c> Exact, <c>~host/path</c> ImplementationSpecific; the
/// backends' Services are named in order.
/// </summary>
internal static class Rules
{
    public static Ingress Of(string name, int age, params ReadOnlySpan<string> rules)
    {
        var parsed = ImmutableArray.CreateBuilder<IngressRule>();
        foreach (var rule in rules)
        {
            var text = rule.TrimStart('=', '~');
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            var type = rule[..1] switch { "=" => PathType.Exact, "~" => PathType.ImplementationSpecific, _ => PathType.Prefix };
            var (host, path) = slash < 0 ? (text, "") : (text[..slash], text[slash..]);
            parsed.Add(new IngressRule(host, [new IngressPath(path, type, Backend(name + "-" + parsed.Count))]));
        }

        return new Ingress
        {
            Name = NamespacedName.Of("default", name),
            Uid = name,
            ResourceVersion = age,
            CreatedVersion = age,
            Rules = parsed.ToImmutable(),
        };
    }

    public static Ingress WithDefault(this Ingress ingress) => ingress with { DefaultBackend = Backend(ingress.Name.Name + "-default") };

    public static IngressBackend Backend(string service) => new(NamespacedName.Of("default", service), 80, null);

    public static IngressTable Table(params ReadOnlySpan<Ingress> ingresses)
    {
        var table = IngressTable.Empty;
        foreach (var ingress in ingresses)
        {
            table = table.With(ingress);
        }

        return table;
    }

    /// <summary>The rule's text as it was written, "default" for a default backend, null for a miss.</summary>
    public static string? Hit(this IngressTable table, string host, string path) => table.Match(host, path) switch
    {
        IngressMatch.Found { Path: { } rule, Rule: { } of } =>
            (rule.Type switch { PathType.Exact => "=", PathType.ImplementationSpecific => "~", _ => "" }) + of.Host + rule.Path,
        IngressMatch.Found => "default",
        _ => null,
    };
}
