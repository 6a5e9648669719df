using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;

namespace Mesh.Grains.Registry;

/// <summary>One Service's subscription: its selector, and the rows that its outbox reads.</summary>
internal sealed class PodSubscriber : IOutboxSource<string, PodRow>
{
    private readonly RegistryRows _registry;
    private readonly PodSubscription _subscription;

    public PodSubscriber(RegistryRows registry, PodSubscription subscription)
    {
        _registry = registry;
        _subscription = subscription;
    }

    /// <summary>The pair of its selector by which it is found, of which few Pods are: only their changes concern it.</summary>
    public (string Key, string Value) Pair { get; set; }

    /// <summary>Set once, when the subscription is opened.</summary>
    public Outbox<string, PodRow>? Outbox { get; set; }

    public Dictionary<string, string> Selector => _subscription.Selector;

    public bool IsSynced => _registry.IsSynced;

    public string ObjectUid => _subscription.ServiceUid;

    public long SpecVersion => _subscription.SpecVersion;

    public PodRow[] Rows() => [.. _registry.With(Pair).Where(row => Selector.Selects(row.Labels))];

    // Also those that match no longer: the Service sees by their labels that they left.
    public PodRow[] Rows(IReadOnlyCollection<string> keys) => [.. keys.Select(_registry.Find).OfType<PodRow>()];
}
