using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>
/// Builds each <see cref="RoutingSnapshot"/> from the one before and one change. Held by the one loop of the node that
/// owns the snapshot; not for two threads. It merges rows by <see cref="RowOrder"/> and filters endpoints of this
/// machine by what the Agent holds alive.
/// </summary>
public sealed class RoutingTable
{
    private readonly LocalPods _local;
    private readonly ServiceTable _services;
    private readonly IngressObjects _ingresses = new();
    private readonly CertificateObjects _certificates = new();
    private readonly ToldSet _namespaces = new();
    private readonly ToldSet _silent = new();
    private int _generation;
    private int _sweep;

    public RoutingTable(string nodeName)
    {
        NodeName = nodeName;
        _local = new LocalPods(nodeName);
        _services = new ServiceTable(_local, _silent.Contains);
    }

    /// <summary>The newest snapshot; a new object after each change that changed something.</summary>
    public RoutingSnapshot Current { get; private set; } = RoutingSnapshot.Empty;

    public string NodeName { get; }

    /// <summary>Where the node listens for Services beside their ClusterIPs.</summary>
    public ClaimedPlaces Claimed { get; private set; } = ClaimedPlaces.None;

    /// <summary>Services whose route changed since the last call; the L4 listeners look only at these.</summary>
    public ImmutableArray<NamespacedName> TakeChanged() => _services.TakeChanged();

    /// <summary>
    /// Applies one change by the orders of its rows and the uid of its object: an older one changes nothing.
    /// Changes to Pods are the Agent's and change nothing here.
    /// </summary>
    /// <exception cref="FormatException">The document is not what its kind says; nothing changed.</exception>
    public void Apply(RoutingChange change)
    {
        switch (change)
        {
            case RoutingChange.ServiceSpec spec:
                _services.Apply(spec.Object, spec.Endpoints, _generation, _sweep);
                Publish();
                break;
            case RoutingChange.ServiceEndpoints endpoints:
                _services.Apply(endpoints.Service, endpoints.Endpoints, _sweep);
                Publish();
                break;
            case RoutingChange.ServiceRemoved removed:
                _services.Remove(removed.Service, removed.Uid, _sweep);
                Publish();
                break;
            case RoutingChange.IngressSpec spec:
                _ingresses.Apply(spec.Object, _generation);
                Publish();
                break;
            case RoutingChange.IngressRemoved removed:
                _ingresses.Remove(removed.Ingress, removed.Uid, _sweep);
                Publish();
                break;
            case RoutingChange.IngressClass named:
                _ingresses.Apply(named, _generation);
                Publish();
                break;
            case RoutingChange.Certificate certificate:
                _certificates.Apply(certificate.Object, _generation);
                Publish();
                break;
            case RoutingChange.CertificateRemoved removed:
                _certificates.Remove(removed.Secret);
                Publish();
                break;
            case RoutingChange.DefaultCertificate told:
                _certificates.Apply(told);
                Publish();
                break;
            case RoutingChange.NamespaceExists ns:
                _namespaces.Tell(ns.Name, ns.Exists, _generation);
                Publish(namespaces: ns.Exists ? Current.Namespaces.Add(ns.Name) : Current.Namespaces.Remove(ns.Name));
                break;
            case RoutingChange.NodeSilent node:
                Silence(node);
                break;
            case RoutingChange.PodSpec or RoutingChange.PodRemoved:
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Where no endpoint may be, whoever published it: this machine knows its own listeners best, also when they change.</summary>
    public void Apply(EndpointRule rule)
    {
        _local.Rule = rule.With(Claimed);
        _services.JudgeAll();
        Publish();
    }

    /// <summary>Whose endpoint is on the TCP port; null when nobody's.</summary>
    public EndpointPlace? EndpointAt(IPEndPoint place) => _services.EndpointAt(place);

    /// <summary>
    /// The node has bound the place for a Service: from here on no endpoint there is used. Whoever is first has it, so it is
    /// not the node's, and the answer says whose it is, when an endpoint is there already.
    /// </summary>
    public EndpointPlace? Claim(IPEndPoint place)
    {
        if (EndpointAt(place) is { } endpoint)
        {
            return endpoint;
        }

        Claimed = Claimed.Add(place);
        _local.Rule = _local.Rule.With(Claimed);
        return null;
    }

    /// <summary>The node has left the places.</summary>
    public void Release(IReadOnlyCollection<IPEndPoint> places)
    {
        Claimed = places.Aggregate(Claimed, static (claimed, place) => claimed.Remove(place));
        _local.Rule = _local.Rule.With(Claimed);
        foreach (var place in places)
        {
            _services.JudgePlace(place);
        }

        Publish();
    }

    /// <summary>What has become of endpoints on claimed places since the last call, for its Service's Events.</summary>
    public ImmutableArray<RefusedEndpoint> TakeRefused() => _local.Refused.TakeUntold();

    /// <summary>What the Agent of this machine says of one of its registered Pods; a local fact beats every silo's.</summary>
    public void ApplyLocal(LocalPod pod)
    {
        if (_local.TrySet(pod))
        {
            _services.JudgeLocal(pod.Uid);
            Publish();
        }
    }

    /// <summary>The Agent no longer knows the uid, and its end has been committed.</summary>
    public void ForgetLocal(string uid)
    {
        if (_local.Forget(uid))
        {
            _services.JudgeLocal(uid);
            Publish();
        }
    }

    /// <summary>Everything the control plane knows has been told: what came from the journal and was not told again is dropped.</summary>
    public void MarkSynced()
    {
        foreach (var node in _silent.DropUntold(_generation))
        {
            _services.JudgeNode(node);
        }

        _services.DropUntold(_generation);
        _ingresses.DropUntold(_generation);
        _ingresses.DropUntoldClasses(_generation);
        _certificates.DropUntold(_generation);
        Publish(namespaces: Current.Namespaces.Except(_namespaces.DropUntold(_generation)), isSynced: true);
    }

    /// <summary>A new link begins: what is there now stays in use, but is dropped by <see cref="MarkSynced"/> unless told again.</summary>
    public void BeginResync() => _generation++;

    /// <summary>
    /// Forgets the tombstones that the call before already saw. Called every 10 minutes, so that a message older than
    /// that, and no other, could bring back what ended.
    /// </summary>
    public void SweepTombstones()
    {
        _services.DropTombstones(_sweep);
        _ingresses.DropTombstones(_sweep);
        _sweep++;
    }

    private void Silence(RoutingChange.NodeSilent node)
    {
        if (_silent.Tell(node.Node, node.IsSilent, _generation))
        {
            _services.JudgeNode(node.Node);
            Publish();
        }
    }

    private TlsRouting Tls()
    {
        var next = new TlsRouting { Names = _ingresses.Names, Certificates = _certificates.Certificates, Default = _certificates.Default };
        return next.HasSameParts(Current.Tls) ? Current.Tls : next;
    }

    private void Publish(ImmutableHashSet<string>? namespaces = null, bool isSynced = false)
    {
        var next = new RoutingSnapshot
        {
            Version = Current.Version + 1,
            IsSynced = Current.IsSynced || isSynced,
            Services = _services.Routes,
            ClusterIPs = _services.ClusterIPs,
            EndpointAddresses = _services.EndpointAddresses,
            Ingresses = _ingresses.Table,
            Tls = Tls(),
            Namespaces = namespaces ?? Current.Namespaces,
        };
        Current = next.HasSameParts(Current) ? Current : next;
    }
}

/// <param name="ServiceUid">The Service object that these endpoints belong to.</param>
/// <param name="IsFull">The rows are the whole set.</param>
/// <param name="IsSynced">Absence of a row from a full set means that it is gone; otherwise it means nothing.</param>
/// <param name="SpecVersion">resourceVersion of the Service spec that the rows were computed from.</param>
public sealed record EndpointsChange(string ServiceUid, bool IsFull, bool IsSynced, long SpecVersion, ImmutableArray<Endpoint> Rows);

/// <summary>The Agent's word on a Pod registered on this machine.</summary>
public sealed record LocalPod(NamespacedName Name, string Uid, bool IsAlive, bool IsReady, bool IsTerminating, ulong Liveness);
