using Orleans.Concurrency;

namespace Mesh.Grains.Abstractions.Delivery;

/// <summary>
/// Key: <c>namespace/shard</c> (one shard, 0, for now). Holds the rows of its Pods and the Services' selectors, and per
/// Service an outbox of matching rows: where label subscriptions live.
/// </summary>
[Alias("mesh.IPodRegistryGrain")]
public interface IPodRegistryGrain : IGrainWithStringKey
{
    /// <summary>Merges rows by their orders; answered when they are merged and on their way.</summary>
    [Alias("Apply")]
    Task Apply(PodRow[] rows, CancellationToken stop);

    /// <summary>The row of one Pod, when its node has said something of it; ended ones are not told.</summary>
    [Alias("Find")]
    Task<PodRow?> Find(string name, CancellationToken stop);

    /// <summary>What of this shard's Pods a node holds, newest liveness each: settles what the rows of that node say.</summary>
    [Alias("Inventory")]
    Task Inventory(NodeInventory inventory, CancellationToken stop);

    /// <summary>What the rows say that a node holds; where it says otherwise, its inventory is wanted.</summary>
    [Alias("DigestOf")]
    Task<HeldPodsDigest> DigestOf(string node, CancellationToken stop);

    [Alias("Subscribe")]
    Task<Delta<PodRow>> Subscribe(PodSubscription subscription, CancellationToken stop);

    [Alias("Renew")]
    Task<RenewalAck> Renew(Renewal renewal, CancellationToken stop);

    [Alias("Unsubscribe"), OneWay]
    Task Unsubscribe(StreamName stream);

    /// <summary>Wakes the registry; one whose namespace is gone ends.</summary>
    [Alias("Wake")]
    Task Wake(CancellationToken stop);
}

/// <param name="Service">The Service's name in the registry's namespace.</param>
[GenerateSerializer, Immutable, Alias("mesh.PodSubscription")]
public sealed record PodSubscription(
    [property: Id(0)] StreamName Stream,
    [property: Id(1)] string Service,
    [property: Id(2)] string ServiceUid,
    [property: Id(3)] long SpecVersion,
    [property: Id(4)] Dictionary<string, string> Selector);

/// <param name="Counter">The node's report counter: rows with a greater liveness are newer than this inventory.</param>
[GenerateSerializer, Immutable, Alias("mesh.NodeInventory")]
public sealed record NodeInventory(
    [property: Id(0)] string NodeName,
    [property: Id(1)] ulong Counter,
    [property: Id(2)] PodRow[] Rows);

/// <summary>A Service's side of the hop registry → Service.</summary>
public interface IRowReceiver : IGrainWithStringKey
{
    [Alias("OnRows")]
    Task<DeliveryAck> OnRows(string registry, Delta<PodRow> delta, CancellationToken stop);
}

/// <summary>A Service's side of the hop Service → gateway.</summary>
public interface IEndpointPublisher : IGrainWithStringKey
{
    [Alias("SubscribeEndpoints")]
    Task<Delta<EndpointRow>> SubscribeEndpoints(EndpointSubscription subscription, CancellationToken stop);

    [Alias("RenewEndpoints")]
    Task<RenewalAck> RenewEndpoints(Renewal renewal, CancellationToken stop);

    [Alias("UnsubscribeEndpoints"), OneWay]
    Task UnsubscribeEndpoints(StreamName stream);
}

/// <param name="Gateway">Key of the gateway grain to deliver to.</param>
/// <param name="ServiceUid">The object the gateway means; another one living here answers with its own uid.</param>
/// <param name="SpecVersion">The Service must have read at least this version of its object before it answers.</param>
[GenerateSerializer, Immutable, Alias("mesh.EndpointSubscription")]
public sealed record EndpointSubscription(
    [property: Id(0)] StreamName Stream,
    [property: Id(1)] string Gateway,
    [property: Id(2)] string ServiceUid,
    [property: Id(3)] long SpecVersion);
