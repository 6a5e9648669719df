using System.Collections.Immutable;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>What the node does with what its silo says. Calls of one link come one after another, but for the drain.</summary>
public interface INodeLinkHandler
{
    /// <summary>Who this node is, asked for at the start of each link.</summary>
    Hello Hello();

    /// <summary>A link begins: from here to the first synced change everything is told again.</summary>
    /// <param name="knownIncarnation">The greatest that this node was ever known by.</param>
    /// <exception cref="IOException">It cannot be kept; the link is not used.</exception>
    ValueTask OnWelcomeAsync(NodeOptions options, ulong optionsHash, uint knownIncarnation, CancellationToken stop);

    /// <summary>Completes when the published snapshot has the changes.</summary>
    ValueTask ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop);

    /// <summary>What the silo says of one report; an answer <c>Retry</c> is repeated without help.</summary>
    ValueTask OnReportAckAsync(PodReport report, ReportAck ack, CancellationToken stop);

    /// <summary>The Pods of this node in one namespace, or in all (empty).</summary>
    NodeInventory Inventory(string ns);

    /// <summary>Ports that cannot be listened on and were not told over this link yet; looked at with each pulse.</summary>
    IReadOnlyList<PortProblem> TakePortProblems() => [];

    /// <summary>Completes when the node has drained; it ends itself after that.</summary>
    Task DrainAsync(TimeSpan within, CancellationToken stop);

    /// <summary>The link is gone. Nothing that is routed changes.</summary>
    void OnLinkLost();
}

/// <param name="Counter">The newest liveness given out when the inventory was made.</param>
public sealed record NodeInventory(ulong Counter, IReadOnlyList<PodState> Pods);
