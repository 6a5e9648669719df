using Mesh.Core.Ingresses;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>What the L7 gateway does with one request.</summary>
public abstract record Forwarding
{
    private Forwarding()
    {
    }

    /// <summary>Pick one of the port's usable targets; there is at least one.</summary>
    public sealed record ToService(IngressMatch.Found Match, ServiceRoute Service, PortRoute Port) : Forwarding
    {
        public NamespacedName Ingress => Match.Ingress;

        /// <summary><c>http.route</c> of spans and metrics.</summary>
        public string Route => Match.Route;
    }

    /// <summary>Answer that the same is to be asked for over HTTPS.</summary>
    public sealed record ToHttps(IngressMatch.Found Match) : Forwarding;

    /// <param name="Text">One sentence for the body, the access log and the span.</param>
    /// <param name="Match">The rule that matched, when one did.</param>
    public sealed record Refuse(RefusalReason Reason, string Text, RefusalClass Class, IngressMatch.Found? Match = null) : Forwarding;
}

/// <summary>Whose fault a refusal is; HTTP says 400, 404 or 503.</summary>
public enum RefusalClass
{
    BadRequest,
    NotFound,
    Unavailable,
}
