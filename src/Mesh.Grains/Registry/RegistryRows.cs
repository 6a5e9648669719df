using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;

namespace Mesh.Grains.Registry;

/// <summary>
/// The rows of one shard, and the Services that subscribe with their selectors: a changed row marks the outboxes of
/// those that it matches or matched.
/// </summary>
internal sealed class RegistryRows
{
    private readonly RowTable<string, PodRow> _rows;
    private readonly LabelIndex<string> _pods = new();
    private readonly LabelIndex<PodSubscriber> _subscribers = new();

    public RegistryRows(OutboxSettings settings)
    {
        _rows = new RowTable<string, PodRow>(PodRows.Kind, settings.Time, dropped: row => Unindex(row));
        Outboxes = new Outboxes<string, PodRow>(settings);
    }

    public Outboxes<string, PodRow> Outboxes { get; }

    public bool IsSynced { get; private set; }

    public IEnumerable<PodRow> All => _rows.All;

    /// <summary>How much is kept: rows with the ended ones, subscribers, and labels that either is found by.</summary>
    public (int Rows, int Subscribers, int Labels) Kept => (_rows.Count, Outboxes.All.Count, _pods.Count + _subscribers.Count);

    /// <summary>Of all rows, the ended ones too: for whoever looks at them in pieces, while they change.</summary>
    public string[] Names() => [.. _rows.All.Select(static row => row.Name)];

    public PodRow? Find(string name) => _rows.TryGet(name, out var row) ? row : null;

    public IEnumerable<PodRow> With((string Key, string Value) pair) => _pods.Of(pair.Key, pair.Value).Select(Find).OfType<PodRow>();

    public void Apply(PodRow row)
    {
        var before = Find(row.Name);
        if (!_rows.Merge(row) || Find(row.Name) is not { } after)
        {
            return;
        }

        if (before is not null)
        {
            Unindex(before);
        }

        foreach (var (key, value) in after.Labels)
        {
            _pods.Add(key, value, after.Name);
        }

        Mark(after.Name, before?.Labels ?? []);
        Mark(after.Name, after.Labels);
    }

    /// <summary>Settles what the rows of one node say: newest liveness of what it holds, the end of what it no longer holds.</summary>
    public void Apply(NodeInventory inventory)
    {
        // By uid: a node may hold a registered Pod and a manifest's of one name until it is told which of them stays.
        var held = new Dictionary<string, PodRow>(StringComparer.Ordinal);
        foreach (var row in inventory.Rows)
        {
            held[row.Order.Uid] = row;
        }

        foreach (var known in _rows.All.Where(row => row.NodeName == inventory.NodeName && !row.IsEnded).ToArray())
        {
            if (held.TryGetValue(known.Order.Uid, out var row) && row.Name == known.Name)
            {
                Apply(known with
                {
                    Order = known.Order with { Liveness = row.Order.Liveness },
                    IsReady = row.IsReady,
                    IsTerminating = row.IsTerminating,
                });
            }
            else if (known.IsRegistered && known.Order.Liveness <= inventory.Counter)
            {
                Apply(PodRows.Kind.End(known) with { Order = known.Order with { Liveness = inventory.Counter } });
            }
        }
    }

    /// <summary>Of the rows that the node should hold. A manifest Pod counts from the node's first word on it.</summary>
    public HeldDigest DigestOf(string node) => HeldDigest.Of(_rows.All
        .Where(row => row.NodeName == node && IsHeld(row))
        .Select(row => (row.Name, row.Order.Uid, row.Order.Liveness)));

    /// <summary>The nodes that should hold something here.</summary>
    public HashSet<string> Holders() => [.. _rows.All.Where(row => row.NodeName.Length > 0 && IsHeld(row)).Select(row => row.NodeName)];

    public Delta<PodRow> Subscribe(PodSubscription subscription, Func<Delta<PodRow>, CancellationToken, Task<DeliveryAck>> send)
    {
        var subscriber = new PodSubscriber(this, subscription) { Pair = RarestOf(subscription.Selector) };
        _subscribers.Add(subscriber.Pair.Key, subscriber.Pair.Value, subscriber); // first: it may be forgotten before it is answered
        (subscriber.Outbox, var answer) = Outboxes.Subscribe(
            subscription.Stream, subscriber, send, () => _subscribers.Remove(subscriber.Pair.Key, subscriber.Pair.Value, subscriber));
        return answer;
    }

    /// <summary>Lets go of ends whose time is over and of subscribers that are silent: in a quiet namespace nothing else does.</summary>
    public void Sweep()
    {
        _rows.Sweep();
        Outboxes.ForgetSilent();
    }

    /// <summary>From now on absence means something: every subscriber gets its whole set.</summary>
    public void MarkSynced()
    {
        if (!IsSynced)
        {
            IsSynced = true;
            Outboxes.MarkFull();
        }
    }

    private static bool IsHeld(PodRow row) => !row.IsEnded && (row.IsRegistered || row.Order.Liveness > 0);

    private void Mark(string name, Dictionary<string, string> labels)
    {
        foreach (var (key, value) in labels)
        {
            List<PodSubscriber>? others = null;
            foreach (var subscriber in _subscribers.Of(key, value))
            {
                if (subscriber.Selector.Selects(labels))
                {
                    subscriber.Outbox!.Mark(name);
                }
                else
                {
                    (others ??= []).Add(subscriber);
                }
            }

            others?.ForEach(Place);
        }
    }

    /// <summary>
    /// A subscriber that was looked at for nothing is found by a rarer pair from now on, if its selector has one: most Services
    /// come before their Pods, when no pair is rarer than another.
    /// </summary>
    private void Place(PodSubscriber subscriber)
    {
        var (pair, rarest) = (subscriber.Pair, RarestOf(subscriber.Selector));
        if (CountOf(rarest) >= CountOf(pair))
        {
            return;
        }

        _subscribers.Remove(pair.Key, pair.Value, subscriber);
        subscriber.Pair = rarest;
        _subscribers.Add(rarest.Key, rarest.Value, subscriber);
    }

    private (string Key, string Value) RarestOf(Dictionary<string, string> selector)
    {
        var rarest = selector.MinBy(pair => CountOf((pair.Key, pair.Value)));
        return (rarest.Key ?? "", rarest.Value ?? "");
    }

    private int CountOf((string Key, string Value) pair) => _pods.Of(pair.Key, pair.Value).Count;

    private void Unindex(PodRow row)
    {
        foreach (var (key, value) in row.Labels)
        {
            _pods.Remove(key, value, row.Name);
        }
    }
}
