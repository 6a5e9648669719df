using Mesh.Agent.Discovery;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Http;

/// <summary>
/// <c>GET /v1/namespaces/{ns}/services/{name}</c>: a Service and its endpoints as this machine routes it, for a process that
/// calls it by name; with <c>?watch=true</c> one line for what there is and one for each change. Answered from the snapshot
/// alone, so it goes on with every silo gone, from the journal.
/// </summary>
internal sealed class ServicesApi(AgentService agent)
{
    public async Task<Refusal?> AnswerAsync(HttpContext context, string ns, string[] rest, uint user)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            return Refusal.MethodNotAllowed($"{context.Request.Method} is not for Services; GET is. Change them with kubectl.", "GET");
        }

        if (!DnsLabel.IsValid(ns))
        {
            return Refusal.BadRequest($"namespace: '{ns}' is not a DNS label.");
        }

        if (rest is [] or [""])
        {
            return await ListAsync(context, ns);
        }

        if (rest.Length > 1 || !NamespacedName.TryCreate(ns, rest[0], out var name))
        {
            return Refusal.BadRequest($"name: '{string.Join('/', rest)}' is not a DNS label.");
        }

        var routes = agent.Routing.Current; // one read: what is told is of one version, and says which
        return context.Request.Query["watch"].ToString() switch
        {
            "" or "false" or "0" => Find(routes, name, out var route)
                ?? await RegistrationApi.WriteAsync(context, ServiceDocument.One(route!, routes.Version, agent.ClusterDomain)),
            "true" or "1" => await WatchAsync(context, name, user),
            var other => Refusal.BadRequest($"watch: '{other}' is neither true nor false."),
        };
    }

    /// <summary>Why it cannot be told: unknown is not empty, and before the first word of a silo nothing is known to be missing.</summary>
    internal static Refusal? Find(RoutingSnapshot routes, NamespacedName name, out ServiceRoute? route)
    {
        if (routes.Services.TryGetValue(name, out route))
        {
            return route.IsSynced || route.Service.Type == ServiceType.ExternalName || route.Ports.Any(port => !port.Usable.IsEmpty)
                ? null
                : Refusal.Unavailable(RefusalText.NotKnown(name) + ".");
        }

        return routes.IsSynced
            ? Refusal.NotFound(RefusalText.NoService(name, routes) + ".")
            : Refusal.Unavailable($"Service {name} is not known yet: {RefusalText.NotSynced}.");
    }

    private async Task<Refusal?> ListAsync(HttpContext context, string ns)
    {
        var routes = agent.Routing.Current;
        return routes.IsSynced || routes.Namespaces.Contains(ns)
            ? routes.Namespaces.Contains(ns)
                ? await RegistrationApi.WriteAsync(context, ServiceDocument.List(routes, ns))
                : Refusal.NotFound($"Namespace {ns} does not exist.")
            : Refusal.Unavailable($"Namespace {ns} is not known yet: {RefusalText.NotSynced}.");
    }

    private async Task<Refusal?> WatchAsync(HttpContext context, NamespacedName name, uint user)
    {
        if (Find(agent.Routing.Current, name, out _) is { } unknown)
        {
            return unknown;
        }

        if (agent.Watches.Open(name, user, out var watch) is { } full)
        {
            return full;
        }

        using (watch)
        {
            await new ServiceStream(agent, watch!).WriteAsync(context);
        }

        return null;
    }
}
