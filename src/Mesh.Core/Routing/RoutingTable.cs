using System.Collections.Immutable;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>
/// Builds each <see cref="RoutingSnapshot"/> from the one before and one change. Held by the one loop of the node that
/// owns the snapshot; not for two threads. It merges rows by <see cref="RowOrder"/> and filters endpoints of this
/// machine by what the Agent holds alive.
/// </summary>
public sealed class RoutingTable(string nodeName)
{
    /// <summary>The newest snapshot; a new object after each change that changed something.</summary>
    public RoutingSnapshot Current { get; private set; } = RoutingSnapshot.Empty;

    public string NodeName => nodeName;

    /// <summary>Services whose route changed since the last call; the L4 listeners look only at these.</summary>
    public ImmutableArray<NamespacedName> TakeChanged() => throw new NotImplementedException();

    /// <summary>
    /// Applies one change by the orders of its rows and the uid of its object: an older one changes nothing.
    /// Changes to Pods are the Agent's and change nothing here.
    /// </summary>
    /// <exception cref="FormatException">The document is not what its kind says; nothing changed.</exception>
    public void Apply(RoutingChange change) => throw new NotImplementedException();

    /// <summary>What the Agent of this machine says of one of its registered Pods; a local fact beats every silo's.</summary>
    public void ApplyLocal(LocalPod pod) => throw new NotImplementedException();

    /// <summary>The Agent no longer knows the uid, and its end has been committed.</summary>
    public void ForgetLocal(string uid) => throw new NotImplementedException();

    /// <summary>Everything the control plane knows has been told: what came from the journal and was not told again is dropped.</summary>
    public void MarkSynced() => throw new NotImplementedException();

    /// <summary>A new link begins: what is there now stays in use, but is dropped by <see cref="MarkSynced"/> unless told again.</summary>
    public void BeginResync() => throw new NotImplementedException();
}

/// <param name="ServiceUid">The Service object that these endpoints belong to.</param>
/// <param name="IsFull">The rows are the whole set.</param>
/// <param name="IsSynced">Absence of a row from a full set means that it is gone; otherwise it means nothing.</param>
/// <param name="SpecVersion">resourceVersion of the Service spec that the rows were computed from.</param>
public sealed record EndpointsChange(string ServiceUid, bool IsFull, bool IsSynced, long SpecVersion, ImmutableArray<Endpoint> Rows);

/// <summary>The Agent's word on a Pod registered on this machine.</summary>
public sealed record LocalPod(NamespacedName Name, string Uid, bool IsAlive, bool IsReady, bool IsTerminating, ulong Liveness);
