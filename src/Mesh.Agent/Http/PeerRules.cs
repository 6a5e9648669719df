using System.Net;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
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
        if (PeerUid.IsFree(uid) || agent.RegisterUids.Contains(uid))
        {
            return null;
        }

        Tell(uid.ToString(System.Globalization.CultureInfo.InvariantCulture), "not one of --register-uids");
        return Refusal.Forbidden($"Processes of uid {uid} may not register here; --register-uids {uid} allows it.");
    }

    /// <summary>
    /// A user of <c>--register-uids</c> registers what that user's own processes listen on: else one would publish what another
    /// listens on, and take a port before whoever is to have it. Whose they are is asked once, when they are registered.
    /// </summary>
    /// <param name="living">The Pod whose stream is taken over: its address stays, and what it has registered was asked then.</param>
    public Refusal? RefusePorts(uint user, Registration wanted, PodDocument.Facts? living = null)
    {
        if (PeerUid.IsFree(user) || wanted.Ports.IsEmpty || (living is not null && living.Registration.Ports.SequenceEqual(wanted.Ports)))
        {
            return null;
        }

        var isAllocated = wanted.Address == Registration.AllocatedAddress && living is null;
        var address = living?.Address ?? (AddressText.TryParse(wanted.Address, out var asked) ? asked : agent.Host);
        var owners = PortOwners.Read();
        if (!owners.IsWhole)
        {
            return Refusal.Forbidden($"ports: the kernel does not tell who listens where, and processes of uid {user} register the ports that they listen on.");
        }

        foreach (var port in wanted.Ports)
        {
            var users = isAllocated ? owners.AtEvery(port) : owners.At(address, port);
            if (isAllocated ? users.All(other => other == user) : users.Count == 1 && users.First() == user)
            {
                continue;
            }

            var where = (isAllocated ? $"port {port.Number} of every address" : new IPEndPoint(address, port.Number).ToString()) + $" ({port.Protocol.ToString().ToUpperInvariant()})";
            return Refusal.Forbidden(users.Count == 0
                ? $"ports: nobody listens on {where} yet; processes of uid {user} register the ports that they listen on, so listen first."
                : $"ports: on {where} a process of uid {users.First(other => other != user)} listens; processes of uid {user} register the ports that they listen on themselves.");
        }

        return null;
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
