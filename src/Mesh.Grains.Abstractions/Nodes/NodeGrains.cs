using Mesh.Grains.Abstractions.Delivery;
using Orleans.Concurrency;

namespace Mesh.Grains.Abstractions.Nodes;

/// <summary>The node's side of a Pod grain.</summary>
public interface IPodReports : IGrainWithStringKey
{
    /// <summary>
    /// What was observed of one Pod: published at once, however the store is. <c>Heard</c> when more of it is to be
    /// committed, null when nothing is known of the Pod: then only <see cref="Report"/> answers for it.
    /// </summary>
    [Alias("Observe")]
    Task<PodReportReply?> Observe(PodReport report, CancellationToken stop);

    /// <summary>
    /// What the node knows of one Pod, repeated until acknowledged. A registration is committed before it is
    /// acknowledged; readiness and an end are published first and written after (an end is acknowledged when committed).
    /// </summary>
    [Alias("Report")]
    Task<PodReportReply> Report(PodReport report, CancellationToken stop);
}

/// <param name="Document">The Pod as registered (labels, annotations, ports, address, probe), without status; empty for manifest Pods.</param>
/// <param name="RegistrationVersion">Counts PUTs and PATCHes of this registration; a greater one is applied to the object.</param>
/// <param name="Liveness"><c>incarnation &lt;&lt; 32 | count</c>.</param>
[GenerateSerializer, Immutable, Alias("mesh.PodReport")]
public sealed record PodReport(
    [property: Id(0)] string Namespace,
    [property: Id(1)] string Name,
    [property: Id(2)] string Uid,
    [property: Id(3)] string NodeName,
    [property: Id(4)] ReadOnlyMemory<byte> Document,
    [property: Id(5)] long RegistrationVersion,
    [property: Id(6)] ulong Liveness,
    [property: Id(7)] bool IsReady,
    [property: Id(8)] bool IsTerminating,
    [property: Id(9)] bool IsEnded,
    [property: Id(10)] string Reason,
    [property: Id(11)] string Message,
    [property: Id(12)] bool IsRegistered)
{
    /// <summary>When the registration last named its keys; null: all of them by this version.</summary>
    [Id(13)]
    public RegistrationKeys? Named { get; init; }
}

/// <summary>
/// The registration's version at which each label and annotation was last named; a key that is left out has been as it is
/// since the first.
/// </summary>
[GenerateSerializer, Immutable, Alias("mesh.RegistrationKeys")]
public sealed record RegistrationKeys(
    [property: Id(0)] IReadOnlyDictionary<string, long> Labels,
    [property: Id(1)] IReadOnlyDictionary<string, long> Annotations)
{
    /// <summary>Of a registration that is as it was first.</summary>
    public static RegistrationKeys None { get; } = new(new Dictionary<string, long>(), new Dictionary<string, long>());
}

[GenerateSerializer, Immutable, Alias("mesh.PodReportReply")]
public sealed record PodReportReply(
    [property: Id(0)] PodReportResult Result,
    [property: Id(1)] long CreatedVersion,
    [property: Id(2)] long ResourceVersion,
    [property: Id(3)] string Message);

[GenerateSerializer]
public enum PodReportResult
{
    Accepted,

    /// <summary>The name belongs to another living Pod: the registration's stream ends with a Status line.</summary>
    Conflict,

    /// <summary>The namespace does not exist, or is ending.</summary>
    NamespaceNotActive,

    /// <summary>The document is not admissible.</summary>
    Invalid,

    /// <summary>Not now (store silent, outcome unknown): report again.</summary>
    Retry,

    /// <summary>What was observed is published, and the rest still to be committed.</summary>
    Heard,
}

/// <summary>What the gateway grain of a link tells the node's grain.</summary>
public interface INodeSessions : IGrainWithStringKey
{
    /// <summary>A node linked: its Node object is made or brought up to date, now or as soon as the store answers.</summary>
    [Alias("Open")]
    Task<NodeOpened> Open(NodeSession session, NodeFacts facts, CancellationToken stop);

    /// <summary>The greatest incarnation that this node was ever known by; a node that lost its journal counts on from here.</summary>
    [Alias("KnownIncarnation")]
    Task<uint> KnownIncarnation(CancellationToken stop);

    /// <summary>The link lives; every 3 s. Answers whether this session is still the node's newest.</summary>
    [Alias("Alive")]
    Task<bool> Alive(NodeSession session, CancellationToken stop);

    /// <summary>A registry came up: the node should tell it its inventory. Carries nothing else.</summary>
    [Alias("HintRenew"), OneWay]
    Task HintRenew(string registry);
}

/// <summary>What a node says of its machine, as it stands in <c>status.nodeInfo</c>.</summary>
[GenerateSerializer, Immutable, Alias("mesh.NodeFacts")]
public sealed record NodeFacts(
    [property: Id(0)] string BootId,
    [property: Id(1)] string OsImage,
    [property: Id(2)] string Kernel,
    [property: Id(3)] string Architecture,
    [property: Id(4)] int Cpus,
    [property: Id(5)] long MemoryBytes);

/// <param name="IsNewest">False: the node has a newer link, this one is not used.</param>
[GenerateSerializer, Immutable, Alias("mesh.NodeOpened")]
public sealed record NodeOpened([property: Id(0)] bool IsNewest);

/// <param name="Incarnation">Start count of the node process.</param>
/// <param name="Number">Grows with each link of one incarnation; the node counts, so that it means the same to every silo.</param>
[GenerateSerializer, Immutable, Alias("mesh.NodeSession")]
public sealed record NodeSession(
    [property: Id(0)] string Gateway,
    [property: Id(1)] uint Incarnation,
    [property: Id(2)] long Number,
    [property: Id(3)] string Address,
    [property: Id(4)] string Build);

/// <summary>
/// Key: <c>silo/node/link session</c>. Pinned to the silo where the link ends, without the grain directory; a message to
/// an ended session is refused. Decides what one machine routes.
/// </summary>
[Alias("mesh.IGatewayGrain")]
public interface IGatewayGrain : IGrainWithStringKey
{
    /// <summary>Starts following specs and feeding the link of this session; called by the link's own silo.</summary>
    [Alias("Start")]
    Task Start(CancellationToken stop);

    [Alias("Stop")]
    Task Stop(CancellationToken stop);

    [Alias("OnEndpoints")]
    Task<DeliveryAck> OnEndpoints(string service, Delta<EndpointRow> delta, CancellationToken stop);

    /// <summary>Pass the hint on to the node.</summary>
    [Alias("HintInventory"), OneWay]
    Task HintInventory(string registry);
}
