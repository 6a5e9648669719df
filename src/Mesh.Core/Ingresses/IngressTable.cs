using System.Collections.Immutable;
using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>
/// All Ingress rules by host, immutable. Precedence: exact host, then one-label wildcard, then the empty host; within
/// the host the longest element-wise prefix, Exact before Prefix; the older Ingress wins what two claim.
/// A lookup costs the path's elements, not the number of rules.
/// </summary>
public sealed class IngressTable
{
    private const string AnyLabel = "*.";

    private ImmutableDictionary<NamespacedName, Ingress> _ingresses = ImmutableDictionary<NamespacedName, Ingress>.Empty;
    private SpanMap<HostRules> _hosts = new(StringComparison.OrdinalIgnoreCase);
    private SpanMap<HostRules> _wildcards = new(StringComparison.OrdinalIgnoreCase); // by what stands behind the "*."
    private ImmutableSortedSet<string> _names = ImmutableSortedSet<string>.Empty.WithComparer(StringComparer.OrdinalIgnoreCase);
    private HostRules? _anyHost;
    private Claims _catchAlls;
    private Claims _defaults;

    private IngressTable()
    {
    }

    public static IngressTable Empty { get; } = new();

    public IEnumerable<Ingress> Ingresses => _ingresses.Values;

    /// <summary>The hosts that rules name, wildcards included, in order; kept so, as whoever asks for some must not pay for all.</summary>
    public IReadOnlyCollection<string> HostNames => _names;

    /// <summary>Adds the Ingress, or replaces the one of its name.</summary>
    public IngressTable With(Ingress ingress)
    {
        if (_ingresses.TryGetValue(ingress.Name, out var held) && held.Uid == ingress.Uid && held.ResourceVersion == ingress.ResourceVersion)
        {
            return this;
        }

        var next = Without(ingress.Name).Copy();
        next._ingresses = next._ingresses.SetItem(ingress.Name, ingress);
        if (ingress.DefaultBackend is { } backend)
        {
            // Without rules it is there to catch all; with rules it first serves its own hosts.
            ref var claims = ref ingress.Rules.IsEmpty ? ref next._catchAlls : ref next._defaults;
            claims = claims.With(new Claim(ingress, 0, new IngressMatch.Found(ingress.Name, null, null, backend, ingress.RedirectsToHttps)));
        }

        var position = 0;
        foreach (var rule in ingress.Rules)
        {
            next.Put(rule.Host, (next.Find(rule.Host) ?? HostRules.Of(rule.Host)).With(ingress, rule, position));
            position += rule.Paths.Length + 1;
        }

        return next;
    }

    public IngressTable Without(NamespacedName name)
    {
        if (!_ingresses.TryGetValue(name, out var ingress))
        {
            return this;
        }

        var next = Copy();
        next._ingresses = next._ingresses.Remove(name);
        next._catchAlls = next._catchAlls.Without(name);
        next._defaults = next._defaults.Without(name);
        foreach (var rule in ingress.Rules)
        {
            if (next.Find(rule.Host) is { } rules)
            {
                next.Put(rule.Host, rules.Without(ingress, rule));
            }
        }

        return next;
    }

    /// <summary>
    /// <paramref name="host"/> as sent, with or without port and trailing dot, in any case; <paramref name="path"/> is the
    /// raw path of the request target, without the query, checked by <see cref="RequestPath"/>.
    /// </summary>
    public IngressMatch Match(ReadOnlySpan<char> host, ReadOnlySpan<char> path)
    {
        var name = RequestHost.NameOf(host);
        var rules = name.IsEmpty ? _anyHost : _hosts.Find(name) ?? Wildcard(name) ?? _anyHost;
        if (rules is null)
        {
            return (_catchAlls.Winner ?? _defaults.Winner)?.Match
                ?? (IngressMatch)new IngressMatch.NoHost(host.ToString(), Likeness.Nearest(name, Hosts()));
        }

        // The host is chosen before the path: a host that is known never falls through to a less specific one.
        return (rules.Paths.Match(path) ?? rules.Defaults.Winner ?? _catchAlls.Winner)?.Match
            ?? (IngressMatch)new IngressMatch.NoPath(
                host.ToString(), path.ToString(), Likeness.Nearest(path, rules.Paths.Paths(Likeness.MaxCandidates)));
    }

    private HostRules? Wildcard(ReadOnlySpan<char> name)
    {
        var parent = RequestHost.ParentOf(name);
        return parent.IsEmpty ? null : _wildcards.Find(parent);
    }

    private IEnumerable<string> Hosts() => _hosts.Pairs.Concat(_wildcards.Pairs).Select(pair => pair.Value.Host);

    private HostRules? Find(string host)
    {
        if (host.Length == 0)
        {
            return _anyHost;
        }

        return host.StartsWith(AnyLabel, StringComparison.Ordinal) ? _wildcards.Find(host.AsSpan(AnyLabel.Length)) : _hosts.Find(host);
    }

    private void Put(string host, HostRules? rules)
    {
        if (host.Length == 0)
        {
            _anyHost = rules;
            return;
        }

        _names = rules is null ? _names.Remove(host) : _names.Add(host);
        if (host.StartsWith(AnyLabel, StringComparison.Ordinal))
        {
            _wildcards = _wildcards.With(host[AnyLabel.Length..], rules);
        }
        else
        {
            _hosts = _hosts.With(host, rules);
        }
    }

    private IngressTable Copy() => (IngressTable)MemberwiseClone();
}

/// <summary>What the table says about a request.</summary>
public abstract record IngressMatch
{
    private IngressMatch()
    {
    }

    /// <summary><paramref name="Rule"/> and <paramref name="Path"/> are null when the default backend answers.</summary>
    /// <param name="RedirectsToHttps">The Ingress wants plain HTTP sent to HTTPS.</param>
    public sealed record Found(NamespacedName Ingress, IngressRule? Rule, IngressPath? Path, IngressBackend? Backend, bool RedirectsToHttps = false) : IngressMatch
    {
        /// <summary><c>http.route</c>: the rule's path, with the host in front when the rule has one.</summary>
        public string Route { get; } = Rule is null ? "/" : Rule.Host + (Path is null || Path.Path.Length == 0 ? "/" : Path.Path);
    }

    /// <summary>No rule for the host. <paramref name="Nearest"/>: the known host most like it, when one is.</summary>
    public sealed record NoHost(string Host, string? Nearest) : IngressMatch;

    /// <summary>The host has rules, none for the path. <paramref name="Nearest"/>: the rule path most like it.</summary>
    public sealed record NoPath(string Host, string Path, string? Nearest) : IngressMatch;
}
