using System.Collections.Immutable;

namespace Mesh.Core.Ingresses;

/// <summary>
/// The annotations by which other Ingress controllers are told what Mesh does not do. The one place that decides which of
/// them change traffic at all (their writer is warned), and which ask that not everybody be let in: an Ingress with one of
/// those is not routed, as to route it without would open what its writer meant to close.
/// </summary>
public static class ForeignAnnotations
{
    /// <summary>Any controller.</summary>
    private const string Any = "*";

    /// <summary>The part before the slash. A leading dot stands for whatever ends so, <c>ingress.kubernetes.io</c> itself included.</summary>
    private static readonly ImmutableArray<string> Controllers =
    [
        ".ingress.kubernetes.io", // ingress-nginx, Traefik, AWS (alb), Azure (appgw), MSE, and HAProxy Ingress of old
        "nginx.org", "nginx.com", "appprotect.f5.com", "appprotectdos.f5.com",
        "haproxy.org", "haproxy.com", "haproxy-ingress.github.io", "haproxy.router.openshift.io", "route.openshift.io",
        ".konghq.com", "projectcontour.io", "contour.heptio.com", "zalando.org", "k8s.apisix.apache.org", "higress.io",
        "ingress.cilium.io", "ingress.citrix.com", "k8s.ngrok.com", "ingress.pomerium.io", "getambassador.io",
        "ingress.gcp.kubernetes.io", "networking.gke.io", "tailscale.com", "voyager.appscode.com",
    ];

    /// <summary>Annotations of <c>kubernetes.io</c> that controllers read. The class is not one: it is a field of its own.</summary>
    private static readonly ImmutableArray<string> Shared = ["kubernetes.io/ingress.allow-http", "kubernetes.io/tls-acme"];

    // Everybody's address: an allow list of it keeps nobody out.
    private static readonly ImmutableArray<string> Everybody = ["0.0.0.0/0", "0.0.0.0/0,::/0", "::/0,0.0.0.0/0"];

    /// <summary>
    /// What asks for a user, a certificate or a source address, and what holds instructions that may (snippets, plugins,
    /// middlewares, policies): Mesh cannot know, so it is taken to ask. Limits of rate and size, rewrites, redirects,
    /// time-outs and the like are not here: who may come in is the same without them.
    /// </summary>
    private static readonly ImmutableArray<Ask> Asks =
    [
        new(Any, "auth-*"),
        new(Any, "basic-auth*"),
        new(Any, "jwt-*"),
        new(Any, "oauth*"),
        new(Any, "*whitelist-source-range", Everybody),
        new(Any, "allowlist-source-range", Everybody),
        new(Any, "*blacklist-source-range"),
        new(Any, "blocklist-source-range"),
        new(Any, "denylist-source-range"),
        new(Any, "*snippet"),
        new(Any, "*snippets"),
        new("nginx.ingress.kubernetes.io", "enable-global-auth"),
        new("nginx.org", "policies"),
        new("haproxy.org", "allow-list", Everybody),
        new("haproxy.org", "whitelist", Everybody),
        new("haproxy.org", "deny-list"),
        new("haproxy.org", "blacklist"),
        new("haproxy.org", "client-ca"),
        new("haproxy-ingress.github.io", "config-*"),
        new("ingress.kubernetes.io", "config-*"),
        new("haproxy.router.openshift.io", "ip_*list", Everybody),
        new("traefik.ingress.kubernetes.io", "router.middlewares"),
        new("traefik.ingress.kubernetes.io", "router.tls.options"), // may ask for the client's certificate
        new("traefik.ingress.kubernetes.io", "router.entrypoints", ["web", "websecure", "web,websecure", "websecure,web", "http", "https"]),
        new("alb.ingress.kubernetes.io", "scheme", ["internet-facing"]),
        new("alb.ingress.kubernetes.io", "inbound-cidrs", Everybody),
        new("alb.ingress.kubernetes.io", "security-group*"),
        new("alb.ingress.kubernetes.io", "mutual-authentication"),
        new("alb.ingress.kubernetes.io", "conditions.*"), // a rule's own, of source addresses and headers
        new("appgw.ingress.kubernetes.io", "use-private-ip"),
        new("konghq.com", "plugins"),
        new("konghq.com", "headers.*"),
        new("konghq.com", "methods"),
        new("zalando.org", "skipper-filter"),
        new("zalando.org", "skipper-predicate"),
        new("zalando.org", "skipper-routes"),
        new("zalando.org", "aws-load-balancer-scheme", ["internet-facing"]),
        new("k8s.apisix.apache.org", "plugin-config-name"),
        new("k8s.ngrok.com", "modules"),
        new("k8s.ngrok.com", "traffic-policy"),
        new("ingress.pomerium.io", "policy"),
        new("ingress.pomerium.io", "allowed_*"),
        new("ingress.pomerium.io", "allow_any_authenticated_user"),
    ];

    /// <summary>Whether the annotation tells another controller something about traffic; Mesh does nothing of it.</summary>
    public static bool ChangesTraffic(string annotation) =>
        Shared.Contains(annotation)
        || annotation.StartsWith("traefik.", StringComparison.Ordinal)
        || annotation.StartsWith("haproxy.", StringComparison.Ordinal)
        || Controllers.Any(controller => IsOf(controller, ControllerOf(annotation)));

    /// <summary>Whether it asks that not everybody be let in. A value that says "none" asks for nothing.</summary>
    public static bool RestrictsAccess(string annotation, string? value) =>
        ChangesTraffic(annotation)
        && Normal(value) is { } asked
        && Asks.Any(ask => ask.Covers(ControllerOf(annotation), annotation, asked));

    private static string ControllerOf(string annotation) => annotation.Split('/', 2)[0];

    private static bool IsOf(string controller, string name) =>
        controller == name || (controller.StartsWith('.') && (name == controller[1..] || name.EndsWith(controller, StringComparison.Ordinal)));

    /// <summary>Null when the value says that nothing is asked for.</summary>
    private static string? Normal(string? value)
    {
        var text = (value ?? "").Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        return text is "" or "none" or "off" or "false" or "no" ? null : text;
    }

    /// <param name="Controller">The part before the slash, or <see cref="Any"/>.</param>
    /// <param name="Name">The part behind it, with at most one <c>*</c>.</param>
    /// <param name="Open">Values that let everybody in all the same.</param>
    private sealed record Ask(string Controller, string Name, ImmutableArray<string> Open = default)
    {
        public bool Covers(string controller, string annotation, string value)
        {
            var name = annotation.Length > controller.Length ? annotation[(controller.Length + 1)..] : "";
            return (Controller == Any || Controller == controller) && IsNamed(name) && (Open.IsDefault || !Open.Contains(value));
        }

        private bool IsNamed(string name)
        {
            var star = Name.IndexOf('*', StringComparison.Ordinal);
            return star < 0
                ? name == Name
                : name.Length >= Name.Length - 1
                    && name.StartsWith(Name[..star], StringComparison.Ordinal)
                    && name.EndsWith(Name[(star + 1)..], StringComparison.Ordinal);
        }
    }
}
