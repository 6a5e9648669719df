using System.Net;
using Mesh.Agent.Registrations;
using Mesh.Loops;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Http;

/// <summary>Who may ask: processes of certain users of this machine, and no web page that a browser was talked into opening.</summary>
internal sealed class PeerRules(AgentService agent)
{
    private readonly ToldSeldomOfEach<string> _refused = new(agent.Time);

    /// <summary>DNS rebinding and drive-by requests: the request must mean this node, and come from no foreign page.</summary>
    public Refusal? RefuseNames(HttpContext context)
    {
        var isUnix = context.Connection.LocalIpAddress is null;
        if (!isUnix && !IsOwnHost(context.Request.Host.Host, context.Connection.LocalIpAddress!))
        {
            return Refusal.Forbidden($"Host '{context.Request.Host}' is not this node.");
        }

        var origin = context.Request.Headers.Origin.ToString();
        return origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority == context.Request.Host.Value)
            ? null
            : Refusal.Forbidden($"Origin '{origin}' may not ask this node.");
    }

    /// <param name="user">Whose process asks.</param>
    public Refusal? RefuseUser(HttpContext context, out uint user)
    {
        user = uint.MaxValue;
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket || PeerUid.Of(socket) is not { } uid)
        {
            Tell("unknown", "the kernel knows no local process at the other end");
            return Refusal.Forbidden("Only processes of this machine may ask, and the kernel knows none at the other end.");
        }

        user = uid;
        if (uid == PeerUid.Own || uid == 0 || agent.RegisterUids.Contains(uid))
        {
            return null;
        }

        Tell(uid.ToString(System.Globalization.CultureInfo.InvariantCulture), "not one of --register-uids");
        return Refusal.Forbidden($"Processes of uid {uid} may not register here; --register-uids {uid} allows it.");
    }

    private void Tell(string uid, string why)
    {
        if (_refused.Count(uid) is > 0 and var times)
        {
            agent.Logger.PeerRefused(uid, why, times);
        }
    }

    private bool IsOwnHost(string host, IPAddress local) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address)
            && (IPAddress.IsLoopback(address) || address.Equals(local) || address.Equals(agent.Host)));
}
