using System.Diagnostics;
using Mesh.Core.Ingresses;

namespace Mesh.Core.Routing;

/// <summary>Routes one request: from its raw target to a Service's usable endpoints, or to the reason why not.</summary>
public static class RequestRouting
{
    /// <param name="host">Host header or :authority, as sent.</param>
    /// <param name="path">The raw path of the request target, without the query.</param>
    /// <param name="isTls">The request came over TLS.</param>
    public static Forwarding Decide(RoutingSnapshot snapshot, ReadOnlySpan<char> host, ReadOnlySpan<char> path, bool isTls = false)
    {
        if (!path.StartsWith('/'))
        {
            return new Forwarding.Refuse(RefusalReason.MalformedRequest, RefusalText.NoPath, RefusalClass.BadRequest);
        }

        if (RequestPath.Check(path) is { } problem)
        {
            var reason = problem == RequestPathProblem.DotSegment ? RefusalReason.DotSegmentInPath : RefusalReason.MalformedRequest;
            return new Forwarding.Refuse(reason, RefusalText.Of(problem), RefusalClass.BadRequest);
        }

        return snapshot.Ingresses.Match(host, path) switch
        {
            IngressMatch.Found { RedirectsToHttps: true } found when !isTls && !IsAcmeChallenge(path) => new Forwarding.ToHttps(found),
            IngressMatch.Found found => To(snapshot, found),
            // What a snapshot does not know before it is synced may exist: a restart must not yield 404.
            IngressMatch.NoHost or IngressMatch.NoPath when !snapshot.IsSynced => NotSynced(RefusalText.NotSynced),
            IngressMatch.NoHost miss => new Forwarding.Refuse(RefusalReason.NoMatchingHost, RefusalText.Of(miss), RefusalClass.NotFound),
            IngressMatch.NoPath miss => new Forwarding.Refuse(RefusalReason.NoMatchingPath, RefusalText.Of(miss), RefusalClass.NotFound),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Who issues certificates asks here in plain HTTP, and a host that has none yet must be able to answer (RFC 8555 §8.3).</summary>
    private static bool IsAcmeChallenge(ReadOnlySpan<char> path) => path.StartsWith("/.well-known/acme-challenge/", StringComparison.Ordinal);

    private static Forwarding To(RoutingSnapshot snapshot, IngressMatch.Found found)
    {
        if (found.Backend is not { } backend)
        {
            return Unavailable(RefusalReason.ServiceNotFound, RefusalText.ResourceBackend(found), found);
        }

        if (!snapshot.Services.TryGetValue(backend.Service, out var service))
        {
            return snapshot.IsSynced
                ? Unavailable(RefusalReason.ServiceNotFound, RefusalText.NoService(backend.Service), found)
                : NotSynced(RefusalText.NotSynced, found);
        }

        var port = backend.PortName is { } name ? service.Port(name) : service.Port(backend.PortNumber);
        if (port is null)
        {
            return Unavailable(RefusalReason.ServicePortNotFound, RefusalText.NoPort(service, backend), found);
        }

        if (!port.Usable.IsEmpty)
        {
            return new Forwarding.ToService(found, service, port);
        }

        var reason = ReasonFor(service, port);
        return Unavailable(reason, RefusalText.Of(reason, service, port), found);
    }

    /// <summary>Why a port without usable endpoints has none; the L4 proxy and the API's status use the same words.</summary>
    public static RefusalReason ReasonFor(ServiceRoute service, PortRoute port)
    {
        if (service.Endpoints.Any(endpoint => endpoint.Has(port.Port)))
        {
            return RefusalReason.NoReadyEndpoints;
        }

        return service.IsSynced || !service.Endpoints.IsEmpty ? RefusalReason.NoEndpoints : RefusalReason.NotSynced;
    }

    private static Forwarding.Refuse Unavailable(RefusalReason reason, string text, IngressMatch.Found found) =>
        new(reason, text, RefusalClass.Unavailable, found);

    private static Forwarding.Refuse NotSynced(string text, IngressMatch.Found? found = null) =>
        new(RefusalReason.NotSynced, text, RefusalClass.Unavailable, found);
}
