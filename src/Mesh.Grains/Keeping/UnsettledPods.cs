using Mesh.Core.Names;
using Mesh.Grains.Nodes;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>
/// The Pods whose grains have something to do though nothing happens to them. Found without a call: all Pods are looked at
/// once, then those that changed since, those that were unsettled, and all again after a change of a Node.
/// </summary>
internal sealed class UnsettledPods(IWatchCache cache, KnownNodes nodes)
{
    private readonly WantedStatus _wanted = new(cache, nodes);
    private HashSet<ObjectKey> _known = [];
    private long _through;
    private int _nodes;

    /// <inheritdoc cref="WantedStatus.IsUnsettled"/>
    public bool Has(StoredObject pod) => _wanted.IsUnsettled(pod);

    /// <param name="isAnew">Whoever looked before may have been another silo.</param>
    public IReadOnlyCollection<ObjectKey> Look(bool isAnew)
    {
        var known = cache.List("", "Node", null);
        var pods = cache.List("", "Pod", null);
        var isAll = isAnew || known.Items.Count != _nodes || known.Items.Any(node => node.ResourceVersion > _through);
        _known = [.. pods.Items
            .Where(pod => (isAll || pod.ResourceVersion > _through || _known.Contains(pod.Key)) && Has(pod))
            .Select(static pod => pod.Key)];
        (_through, _nodes) = (Math.Min(known.Version, pods.Version), known.Items.Count);
        return _known;
    }
}
