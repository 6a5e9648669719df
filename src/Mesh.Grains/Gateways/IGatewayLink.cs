using System.Collections.Immutable;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Nodes;

namespace Mesh.Grains.Gateways;

/// <summary>The link sessions that end on this silo, by session id. Held by the process, which owns the sockets.</summary>
public interface IGatewayLinks
{
    /// <summary>Null when the link has ended: then the gateway grain answers Gone and deactivates.</summary>
    IGatewayLink? Find(string session);
}

/// <summary>One node's link, as its gateway grain sees it.</summary>
public interface IGatewayLink
{
    string NodeName { get; }

    /// <summary>What the node's grain is told of this link.</summary>
    NodeSession Session { get; }

    /// <summary>How long the node has said nothing; a living one sends a pulse every 3 s.</summary>
    TimeSpan Silence { get; }

    /// <summary>
    /// What this node shows names without a certificate of their own: issued by the cluster's authority, with its key, as PEM.
    /// Another from time to time, before the one before it ends.
    /// </summary>
    ReadOnlyMemory<byte> DefaultCertificate { get; }

    /// <summary>Completes when the node has published a snapshot with these changes. One call at a time.</summary>
    /// <exception cref="LinkEndedException">The link is gone; nothing more will be delivered.</exception>
    Task ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop);

    /// <summary>Asks the node for its inventory of one namespace, or of all (empty).</summary>
    void RequestInventory(string ns);

    CancellationToken Ended { get; }
}

/// <summary>The node's link ended while something was being told.</summary>
public sealed class LinkEndedException(string session) : Exception($"The link session {session} has ended.");
