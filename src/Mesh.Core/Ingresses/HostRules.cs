namespace Mesh.Core.Ingresses;

/// <summary>The rules of one host, from every Ingress that names it.</summary>
/// <param name="Host">As in the rules.</param>
/// <param name="Named">Claims of every Ingress that has the host at all: while there is one, the host is known.</param>
/// <param name="Defaults">Default backends of Ingresses that have the host: they answer its unmatched paths.</param>
internal sealed record HostRules(string Host, PathNode Paths, Claims Named, Claims Defaults)
{
    public static HostRules Of(string host) => new(host, PathNode.Empty, default, default);

    public HostRules With(Ingress ingress, IngressRule rule, int position)
    {
        var next = this with { Named = Named.With(new Claim(ingress, position, new IngressMatch.Found(ingress.Name, rule, null, null, ingress.RedirectsToHttps))) };
        for (var i = 0; i < rule.Paths.Length; i++)
        {
            var path = rule.Paths[i];
            var claim = new Claim(ingress, position + i, new IngressMatch.Found(ingress.Name, rule, path, path.Backend, ingress.RedirectsToHttps));
            next = next with { Paths = next.Paths.With(path, claim) };
        }

        return ingress.DefaultBackend is { } backend
            ? next with { Defaults = next.Defaults.With(new Claim(ingress, 0, new IngressMatch.Found(ingress.Name, null, null, backend, ingress.RedirectsToHttps))) }
            : next;
    }

    /// <summary>Null when no Ingress has the host any more.</summary>
    public HostRules? Without(Ingress ingress, IngressRule rule)
    {
        var next = this with { Named = Named.Without(ingress.Name), Defaults = Defaults.Without(ingress.Name) };
        foreach (var path in rule.Paths)
        {
            next = next with { Paths = next.Paths.Without(path, ingress.Name) };
        }

        return next.Named.IsEmpty ? null : next;
    }
}
