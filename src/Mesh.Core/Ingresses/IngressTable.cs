using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>
/// All Ingress rules by host, immutable. Precedence: exact host, then one-label wildcard, then the empty host; within
/// the host the longest element-wise prefix, Exact before Prefix; the older Ingress wins what two claim.
/// A lookup costs the path's elements, not the number of rules.
/// </summary>
public sealed class IngressTable
{
    public static IngressTable Empty { get; } = new();

    /// <summary>Adds the Ingress, or replaces the one of its name.</summary>
    public IngressTable With(Ingress ingress) => throw new NotImplementedException();

    public IngressTable Without(NamespacedName name) => throw new NotImplementedException();

    /// <summary>
    /// <paramref name="host"/> as sent, with or without port and trailing dot, in any case; <paramref name="path"/> is the
    /// raw path of the request target, without the query, checked by <see cref="RequestPath"/>.
    /// </summary>
    public IngressMatch Match(ReadOnlySpan<char> host, ReadOnlySpan<char> path) => throw new NotImplementedException();
}

/// <summary>What the table says about a request.</summary>
public abstract record IngressMatch
{
    private IngressMatch()
    {
    }

    /// <summary><paramref name="Rule"/> and <paramref name="Path"/> are null when the default backend answers.</summary>
    public sealed record Found(NamespacedName Ingress, IngressRule? Rule, IngressPath? Path, IngressBackend? Backend) : IngressMatch
    {
        /// <summary><c>http.route</c>: the rule's path, with the host in front when the rule has one.</summary>
        public string Route { get; } = Rule is null ? "/" : Rule.Host + (Path is null || Path.Path.Length == 0 ? "/" : Path.Path);
    }

    /// <summary>No rule for the host. <paramref name="Nearest"/>: the known host most like it, when one is.</summary>
    public sealed record NoHost(string Host, string? Nearest) : IngressMatch;

    /// <summary>The host has rules, none for the path. <paramref name="Nearest"/>: the rule path most like it.</summary>
    public sealed record NoPath(string Host, string Path, string? Nearest) : IngressMatch;
}
