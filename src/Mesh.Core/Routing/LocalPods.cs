using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>What this machine knows by itself: which Pods its Agent holds alive, which Services' rows that concerns, and where no endpoint may be.</summary>
internal sealed class LocalPods(string nodeName)
{
    private readonly Dictionary<string, LocalPod> _pods = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<NamespacedName>> _services = new(StringComparer.Ordinal);

    public EndpointRule Rule { get; set; } = EndpointRule.Unconfigured;

    /// <summary>Endpoints that are not used since the node itself listens there for a Service.</summary>
    public RefusedEndpoints Refused { get; } = new();

    /// <summary>False when it is older than what the Agent said before, or the same.</summary>
    public bool TrySet(LocalPod pod)
    {
        if (_pods.TryGetValue(pod.Uid, out var held) && (held.Liveness > pod.Liveness || held == pod))
        {
            return false;
        }

        _pods[pod.Uid] = pod;
        return true;
    }

    public bool Forget(string uid) => _pods.Remove(uid);

    public IReadOnlyList<NamespacedName> ServicesOf(string uid) => _services.TryGetValue(uid, out var names) ? names : [];

    public bool IsHere(Endpoint endpoint) => endpoint.NodeName == nodeName;

    public void Link(string uid, NamespacedName service)
    {
        if (!_services.TryGetValue(uid, out var names))
        {
            _services[uid] = names = [];
        }

        names.Add(service);
    }

    public void Unlink(string uid, NamespacedName service)
    {
        if (_services.TryGetValue(uid, out var names) && names.Remove(service) && names.Count == 0)
        {
            _services.Remove(uid);
        }
    }

    /// <summary>
    /// The endpoint as this machine routes it, null when it must not: whoever published it, it may not be where the rule
    /// forbids; a registered Pod of this machine is used only while
    /// the Agent holds its uid alive, whatever the control plane says, and the Agent's word on its readiness wins unless
    /// the control plane has a later one.
    /// </summary>
    public Endpoint? Judge(Endpoint told, Service service)
    {
        if (Rule.Allowed(told) is not { } endpoint)
        {
            return null;
        }

        if (!IsHere(endpoint))
        {
            return endpoint;
        }

        if (!_pods.TryGetValue(endpoint.Order.Uid, out var pod) || !pod.IsAlive)
        {
            return endpoint.IsRegistered ? null : endpoint;
        }

        if (pod.Liveness < endpoint.Order.Liveness)
        {
            return endpoint;
        }

        // A deletion is never taken back, so either side's word that the Pod terminates is enough.
        var terminating = pod.IsTerminating || endpoint.Terminating;
        if (endpoint.Serving == pod.IsReady && endpoint.Terminating == terminating)
        {
            return endpoint;
        }

        return endpoint with
        {
            Serving = pod.IsReady,
            Terminating = terminating,
            Ready = EndpointSelection.IsReady(service, pod.IsReady, terminating),
        };
    }
}
