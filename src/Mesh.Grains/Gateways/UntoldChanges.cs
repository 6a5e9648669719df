using System.Collections.Immutable;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.Grains.Gateways;

/// <summary>
/// What was released for one node and not sent: the newest change of each object, in the order of the specs' versions, taken in
/// messages of bounded size. Endpoints and certificates wait for no spec, and go where their first was released; the ends of
/// certificates go behind all else: no name is shown the default certificate in between. For one thread of control.
/// </summary>
/// <param name="service">What a Service's feed has to tell at the moment that it is taken; null when nothing.</param>
internal sealed class UntoldChanges(Func<ObjectKey, RoutingChange?> service)
{
    private const int ChangesPerMessage = 512;
    private const int WeightPerMessage = 1 << 20;
    private const int WeightPerRow = 100;

    private readonly LinkedList<(ObjectKey Key, RoutingChange? Change)> _order = new();
    private readonly LinkedList<(ObjectKey Key, RoutingChange? Change)> _ends = new(); // of certificates
    private readonly Dictionary<ObjectKey, LinkedListNode<(ObjectKey Key, RoutingChange? Change)>> _changes = [];
    private readonly Dictionary<ObjectKey, string> _told = []; // the uid that the node has of the name

    public bool Any => _changes.Count > 0;

    /// <summary>A Service whose endpoints changed: its feed knows them.</summary>
    public void MarkEndpoints(ObjectKey key) => Mark(key, null, isOrdered: false);

    /// <summary>A Service whose spec is another: its feed knows it.</summary>
    public void MarkService(ObjectKey key) => Mark(key, null, isOrdered: true);

    public void Mark(ObjectKey key, RoutingChange change) =>
        Mark(key, change, isOrdered: change is not (RoutingChange.Certificate or RoutingChange.CertificateRemoved or RoutingChange.DefaultCertificate));

    /// <param name="isOrdered">Behind everything of a lesser version; else where the object stands already.</param>
    private void Mark(ObjectKey key, RoutingChange? change, bool isOrdered)
    {
        var lane = change is RoutingChange.CertificateRemoved ? _ends : _order;
        if (!_changes.TryGetValue(key, out var marked))
        {
            _changes[key] = lane.AddLast((key, change));
            return;
        }

        marked.ValueRef.Change = change;
        if (marked.List != lane || isOrdered)
        {
            marked.List!.Remove(marked);
            lane.AddLast(marked);
        }
    }

    /// <summary>The next message, oldest first.</summary>
    public ImmutableArray<RoutingChange> Take()
    {
        var changes = ImmutableArray.CreateBuilder<RoutingChange>();
        var weight = 0;
        while (changes.Count < ChangesPerMessage && weight < WeightPerMessage && (_order.First ?? _ends.First) is { } first)
        {
            var (key, change) = first.Value;
            first.List!.Remove(first);
            _changes.Remove(key);
            change ??= service(key);
            if (change is null)
            {
                continue;
            }

            if (Succeeds(key, change) is { } uid)
            {
                AddEnd(changes, change, uid);
            }

            changes.Add(change);
            weight += Weight(change);
        }

        return changes.DrainToImmutable();
    }

    /// <summary>
    /// The uid of the object that the node has, where the change is about another of its name: of two that followed each other
    /// quickly, the node may have been told neither the first one's end nor the second. Its end is told first; only a spec of a
    /// Service or an Ingress says it by itself, in one step.
    /// </summary>
    private string? Succeeds(ObjectKey key, RoutingChange change)
    {
        var (uid, isEnd) = change switch
        {
            RoutingChange.ServiceSpec spec => (spec.Object.Uid, false),
            RoutingChange.IngressSpec spec => (spec.Object.Uid, false),
            RoutingChange.PodSpec spec => (spec.Object.Uid, false),
            RoutingChange.ServiceRemoved removed => (removed.Uid, true),
            RoutingChange.IngressRemoved removed => (removed.Uid, true),
            RoutingChange.PodRemoved removed => (removed.Uid, true),
            _ => ("", false),
        };
        var told = _told.GetValueOrDefault(key);
        if (isEnd)
        {
            _told.Remove(key);
        }
        else if (uid.Length > 0)
        {
            _told[key] = uid;
        }

        return uid.Length == 0 || told == uid ? null : told;
    }

    private static void AddEnd(ImmutableArray<RoutingChange>.Builder changes, RoutingChange change, string uid)
    {
        switch (change)
        {
            case RoutingChange.ServiceRemoved removed:
                changes.Add(removed with { Uid = uid });
                break;
            case RoutingChange.IngressRemoved removed:
                changes.Add(removed with { Uid = uid });
                break;
            case RoutingChange.PodRemoved removed:
                changes.Add(removed with { Uid = uid });
                break;
            case RoutingChange.PodSpec spec:
                changes.Add(new RoutingChange.PodRemoved(spec.Object.Name, uid));
                break;
            default:
                break;
        }
    }

    private static int Weight(RoutingChange change) => change switch
    {
        RoutingChange.ServiceSpec spec => spec.Object.Document.Length + ((spec.Endpoints?.Rows.Length ?? 0) * WeightPerRow),
        RoutingChange.ServiceEndpoints endpoints => endpoints.Endpoints.Rows.Length * WeightPerRow,
        RoutingChange.IngressSpec ingress => ingress.Object.Document.Length,
        RoutingChange.Certificate certificate => certificate.Object.Document.Length,
        RoutingChange.PodSpec pod => pod.Object.Document.Length,
        _ => WeightPerRow,
    };
}
