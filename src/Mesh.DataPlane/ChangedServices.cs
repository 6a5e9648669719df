using System.Threading.Channels;
using Mesh.Core.Names;

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

    public IReadOnlyCollection<NamespacedName> Take()
    {
        lock (_gate)
        {
            var taken = _pending;
            _pending = [];
            return taken;
        }
    }
}
