using System.Collections.Immutable;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.Grains.Gateways;

/// <summary>
/// What was released for one node and not sent: the newest change of each object, in the order in which their first was
/// released, taken in messages of bounded size. For one thread of control.
/// </summary>
/// <param name="service">What a Service's feed has to tell at the moment that it is taken; null when nothing.</param>
internal sealed class UntoldChanges(Func<ObjectKey, RoutingChange?> service)
{
    private const int ChangesPerMessage = 512;
    private const int WeightPerMessage = 1 << 20;
    private const int WeightPerRow = 100;

    private readonly Queue<ObjectKey> _order = new();
    private readonly Dictionary<ObjectKey, RoutingChange?> _changes = [];

    public bool Any => _order.Count > 0;

    /// <param name="change">Null for a Service: its feed knows.</param>
    public void Mark(ObjectKey key, RoutingChange? change)
    {
        if (!_changes.ContainsKey(key))
        {
            _order.Enqueue(key);
        }

        _changes[key] = change;
    }

    /// <summary>The next message, oldest first.</summary>
    public ImmutableArray<RoutingChange> Take()
    {
        var changes = ImmutableArray.CreateBuilder<RoutingChange>();
        var weight = 0;
        while (changes.Count < ChangesPerMessage && weight < WeightPerMessage && _order.TryDequeue(out var key))
        {
            _changes.Remove(key, out var change);
            change ??= service(key);
            if (change is not null)
            {
                changes.Add(change);
                weight += Weight(change);
            }
        }

        return changes.DrainToImmutable();
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
