using System.Collections.Immutable;
using System.Diagnostics;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Ingresses;
using Mesh.Grains.Nodes;
using Mesh.Storage;

namespace Mesh.Grains.Gateways;

/// <summary>
/// What one node is to be told. Specs wait in resourceVersion order; a Service's frontend is released together with the
/// endpoints computed from the same spec, or alone after a second. A certificate waits for none of them; its end does, as the
/// Ingress that named it may be waiting. What was released and not yet sent is folded by key.
/// For one thread of control.
/// </summary>
internal sealed class GatewayTable
{
    /// <summary>How long a frontend waits for its endpoints.</summary>
    public static readonly TimeSpan PairWithin = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly UntoldChanges _untold;
    private readonly GatewayCertificates _certificates = new();
    private readonly Dictionary<NamespacedName, ServiceFeed> _feeds = [];
    private readonly Dictionary<ObjectKey, StoredObject> _followed = [];
    private readonly Queue<PendingSpec> _pending = new();
    private readonly HashSet<ServiceFeed> _held = [];
    private readonly List<ServiceFeed> _ended = [];

    public GatewayTable(string node, TimeProvider time)
    {
        (Node, _time) = (node, time);
        _untold = new UntoldChanges(key => _feeds.GetValueOrDefault(NamespacedName.Of(key.Namespace, key.Name))?.Take());
    }

    public string Node { get; }

    public IReadOnlyCollection<ServiceFeed> Feeds => _feeds.Values;

    public bool HasChanges => _untold.Any;

    /// <summary>Specs wait for their endpoints.</summary>
    public bool HasWaiting => _pending.Count > 0;

    public ServiceFeed? Find(NamespacedName service) => _feeds.GetValueOrDefault(service);

    public static ObjectDocument ToDocument(NamespacedName name, StoredObject stored) =>
        new(name, stored.Uid, stored.ResourceVersion, stored.CreatedVersion, stored.Document);

    /// <summary>Takes the object's newest state. Returns the feed to subscribe when it is a Service that was not followed.</summary>
    public ServiceFeed? Put(StoredObject stored)
    {
        if (stored.Key.Kind == "Pod" && stored.Field("spec.nodeName") != Node)
        {
            Remove(stored); // another node's, perhaps since now
            return null;
        }

        var known = _followed.GetValueOrDefault(stored.Key);
        if (known is not null && stored.ResourceVersion <= known.ResourceVersion)
        {
            return null;
        }

        _followed[stored.Key] = stored;
        if (stored.Key.Kind == "Secret")
        {
            MarkCertificates(_certificates.Apply(stored, isGone: false));
            return null;
        }

        Enqueue(stored, removed: false);
        return stored.Key.Kind == "Service" ? Follow(stored) : null;
    }

    public void Remove(StoredObject stored)
    {
        if (!_followed.TryGetValue(stored.Key, out var known) || stored.ResourceVersion <= known.ResourceVersion)
        {
            return;
        }

        Forget(known, stored.ResourceVersion);
    }

    /// <summary>Everything followed that a whole listing lacks is gone.</summary>
    public void RemoveAbsent(IReadOnlySet<ObjectKey> present, long version)
    {
        foreach (var gone in _followed.Values.Where(known => !present.Contains(known.Key) && known.ResourceVersion <= version).ToArray())
        {
            Forget(gone, version);
        }
    }

    /// <summary>Takes what one message of a Service changed.</summary>
    public void Note(ServiceFeed feed, RowsReceived<EndpointRow> rows)
    {
        if (!feed.Note(rows) || feed.IsOver || feed.Told is null)
        {
            return; // with the frontend, if at all
        }

        if (feed.IsAheadOfSpec)
        {
            feed.HeldUntil ??= _time.GetTimestamp() + Ticks(PairWithin);
            _held.Add(feed);
            return;
        }

        _untold.MarkEndpoints(Kinds.Service(feed.Name));
    }

    /// <summary>What the node is to show names without a certificate of their own.</summary>
    public void PutDefault(ReadOnlyMemory<byte> certificate) =>
        _untold.Mark(new ObjectKey("", "DefaultCertificate", "", ""), new RoutingChange.DefaultCertificate(certificate));

    /// <summary>Feeds that ended since the last call: their subscriptions are to be stopped.</summary>
    public IReadOnlyList<ServiceFeed> TakeEnded()
    {
        var ended = _ended.ToArray();
        _ended.Clear();
        return ended;
    }

    /// <summary>Releases what may be told by now, in order.</summary>
    public void Release()
    {
        var now = _time.GetTimestamp();
        while (_pending.TryPeek(out var next) && IsReleasable(next, now))
        {
            Release(_pending.Dequeue());
        }

        foreach (var feed in _held.Where(feed => feed.IsOver || !feed.IsAheadOfSpec || feed.HeldUntil <= now).ToArray())
        {
            _held.Remove(feed);
            feed.HeldUntil = null;
            if (!feed.IsOver)
            {
                _untold.MarkEndpoints(Kinds.Service(feed.Name));
            }
        }
    }

    /// <summary>How long until waiting alone releases something; null when nothing waits.</summary>
    public TimeSpan? UntilRelease()
    {
        long? due = _pending.TryPeek(out var next) ? next.Deadline : null;
        foreach (var feed in _held)
        {
            due = due is null || feed.HeldUntil < due ? feed.HeldUntil : due;
        }

        return due is null ? null : TimeSpan.FromTicks(Math.Max(0, (due.Value - _time.GetTimestamp()) * TimeSpan.TicksPerSecond / _time.TimestampFrequency));
    }

    /// <summary>The next message: what was released and not told, oldest first, of bounded size.</summary>
    public ImmutableArray<RoutingChange> Take() => _untold.Take();

    private ServiceFeed? Follow(StoredObject service)
    {
        var name = NamespacedName.Of(service.Key.Namespace, service.Key.Name);
        if (_feeds.TryGetValue(name, out var feed) && feed.Uid == service.Uid)
        {
            feed.Latest = service;
            return null;
        }

        if (feed is not null)
        {
            End(feed);
        }

        return _feeds[name] = new ServiceFeed(name, service);
    }

    private void Forget(StoredObject known, long version)
    {
        _followed.Remove(known.Key);
        Enqueue(known with { ResourceVersion = version }, removed: true);
        if (known.Key.Kind == "Service" && _feeds.Remove(NamespacedName.Of(known.Key.Namespace, known.Key.Name), out var feed))
        {
            End(feed);
        }
    }

    private void End(ServiceFeed feed)
    {
        feed.IsOver = true;
        _ended.Add(feed);
    }

    private void Enqueue(StoredObject stored, bool removed) =>
        _pending.Enqueue(new PendingSpec(stored, removed, _time.GetTimestamp() + Ticks(PairWithin)));

    private bool IsReleasable(PendingSpec pending, long now)
    {
        if (pending.IsRemoved || pending.Object.Key.Kind != "Service" || pending.Deadline <= now)
        {
            return true;
        }

        var feed = _feeds.GetValueOrDefault(NamespacedName.Of(pending.Object.Key.Namespace, pending.Object.Key.Name));
        return feed is null || feed.Uid != pending.Object.Uid || feed.IsPairedWith(pending.Object.ResourceVersion);
    }

    private void Release(PendingSpec pending)
    {
        var (stored, removed, _) = pending;
        if (stored.Key.Kind == "Secret" && _followed.ContainsKey(stored.Key))
        {
            return; // there is one again since
        }

        // A certificate before the Ingress that names it, and the end of one after: no name is shown the default one in between.
        var certificates = _certificates.Apply(stored, removed).ToLookup(change => change is RoutingChange.CertificateRemoved);
        MarkCertificates(certificates[false]);
        Mark(stored, removed);
        MarkCertificates(certificates[true]);
    }

    private void MarkCertificates(IEnumerable<RoutingChange> changes)
    {
        foreach (var change in changes)
        {
            _untold.Mark(KeyOf(change), change);
        }
    }

    private void Mark(StoredObject stored, bool removed)
    {
        switch (stored.Key.Kind)
        {
            case "Secret":
                break;
            case "Service" when !removed:
                ReleaseService(stored);
                break;
            case "IngressClass":
                _untold.Mark(stored.Key, new RoutingChange.IngressClass(stored.Key.Name, !removed && IngressClasses.IsOurs(stored)));
                break;
            case "Namespace":
                _untold.Mark(stored.Key, new RoutingChange.NamespaceExists(stored.Key.Name, !removed));
                break;
            case "Node":
                _untold.Mark(stored.Key, new RoutingChange.NodeSilent(stored.Key.Name, !removed && NodeDocument.IsSilent(stored.Document)));
                break;
            default:
                var name = NamespacedName.Of(stored.Key.Namespace, stored.Key.Name);
                _untold.Mark(stored.Key, (stored.Key.Kind, removed) switch
                {
                    ("Service", _) => new RoutingChange.ServiceRemoved(name, stored.Uid),
                    ("Ingress", false) => new RoutingChange.IngressSpec(ToDocument(name, stored)),
                    ("Ingress", true) => new RoutingChange.IngressRemoved(name, stored.Uid),
                    ("Pod", false) => new RoutingChange.PodSpec(ToDocument(name, stored)),
                    ("Pod", true) => new RoutingChange.PodRemoved(name, stored.Uid),
                    _ => throw new UnreachableException(),
                });
                break;
        }
    }

    private static ObjectKey KeyOf(RoutingChange change) => change switch
    {
        RoutingChange.Certificate certificate => Kinds.Secret(certificate.Object.Name),
        RoutingChange.CertificateRemoved removed => Kinds.Secret(removed.Secret),
        _ => throw new UnreachableException(),
    };

    private void ReleaseService(StoredObject stored)
    {
        var feed = _feeds.GetValueOrDefault(NamespacedName.Of(stored.Key.Namespace, stored.Key.Name));
        if (feed?.Uid == stored.Uid)
        {
            feed.Release(stored);
            _untold.MarkService(stored.Key);
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);

    private sealed record PendingSpec(StoredObject Object, bool IsRemoved, long Deadline);
}
