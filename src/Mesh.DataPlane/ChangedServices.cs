using System.Threading.Channels;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane;

/// <summary>Services that changed since a loop last looked: folded together, so a slow loop costs no memory and delays nobody.</summary>
internal sealed class ChangedServices
{
    private readonly Lock _gate = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private HashSet<NamespacedName> _pending = [];

    public void Add(IEnumerable<NamespacedName> changed)
    {
        lock (_gate)
        {
            _pending.UnionWith(changed);
        }

        _signal.Writer.TryWrite(true);
    }

    public async ValueTask WaitAsync(CancellationToken stop)
    {
        await _signal.Reader.ReadAsync(stop);
    }

    /// <summary>
    /// What has changed, and a snapshot that has it. It is read after the changes were taken: in an older one a Service that
    /// changed between the two would be judged by what it was, and nothing would come back to it.
    /// </summary>
    public (IReadOnlyCollection<NamespacedName> Services, RoutingSnapshot Snapshot) Take(Func<RoutingSnapshot> newest)
    {
        IReadOnlyCollection<NamespacedName> taken;
        lock (_gate)
        {
            (taken, _pending) = (_pending, []);
        }

        return (taken, newest());
    }
}
