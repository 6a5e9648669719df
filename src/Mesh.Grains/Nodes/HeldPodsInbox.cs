using System.Threading.Channels;
using Mesh.Core.Pods;
using Mesh.Grains.Gateways;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Nodes;

/// <summary>
/// What one link's node said that it holds, waiting to be compared and taken: the newest word per namespace, one after
/// the other. So a grain that is out of reach holds up no acknowledgement or report of that link.
/// </summary>
internal sealed class HeldPodsInbox(IGatewayLink link, InventoryRouting inventories, TimeProvider time, ILogger log)
{
    /// <summary>Namespaces that wait at once; what is said of further ones is dropped, and said again within 30 s.</summary>
    public const int Waiting = 10_000;

    private static readonly TimeSpan TakeWithin = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Inventory> _inventories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HeldDigest> _digests = new(StringComparer.Ordinal);
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(1);

    /// <summary>Everything that the node holds, of one namespace or (empty) of all.</summary>
    /// <param name="counter">The newest liveness that the node had given out when it made this.</param>
    public void PutInventory(string ns, ulong counter, IReadOnlyList<HeldPod> held) => Put(_inventories, ns, new Inventory(counter, held));

    public void PutDigest(string ns, HeldDigest digest) => Put(_digests, ns, digest);

    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            await _wake.Reader.ReadAsync(stop);
            foreach (var (ns, inventory) in Take(_inventories))
            {
                await TryAsync(ns, limit => inventories.RouteAsync(link.NodeName, inventory.Counter, ns, inventory.Held, limit), stop);
            }

            foreach (var (ns, digest) in Take(_digests))
            {
                await TryAsync(ns, limit => CompareAsync(ns, digest, limit), stop);
            }
        }
    }

    private async Task CompareAsync(string ns, HeldDigest digest, CancellationToken stop)
    {
        if (await inventories.IsOtherAsync(link.NodeName, ns, digest, stop))
        {
            GrainsMetrics.Differed();
            log.HeldPodsDiffer(link.NodeName, ns);
            link.RequestInventory(ns);
        }
    }

    private async Task TryAsync(string ns, Func<CancellationToken, Task> take, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(TakeWithin, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            await take(both.Token);
        }
#pragma warning disable CA1031 // The boundary of what a node says: nothing in it may end its link.
        catch (Exception failure) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            log.HeldPodsNotTaken(link.NodeName, ns, failure); // the digest that follows within 30 s finds what is missing
        }
    }

    private void Put<T>(Dictionary<string, T> waiting, string ns, T said)
    {
        lock (_lock)
        {
            if (waiting.Count < Waiting || waiting.ContainsKey(ns))
            {
                waiting[ns] = said;
            }
        }

        _wake.Writer.TryWrite(true);
    }

    private KeyValuePair<string, T>[] Take<T>(Dictionary<string, T> waiting)
    {
        lock (_lock)
        {
            var taken = waiting.ToArray();
            waiting.Clear();
            return taken;
        }
    }

    private sealed record Inventory(ulong Counter, IReadOnlyList<HeldPod> Held);
}
