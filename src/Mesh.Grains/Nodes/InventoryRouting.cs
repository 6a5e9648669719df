using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Pods;
using Mesh.Grains.Registry;
using Mesh.Storage;

namespace Mesh.Grains.Nodes;

/// <summary>
/// Splits what a node says it holds by namespace, for the registries, and finds the registered Pods that it no longer
/// holds: absent, with a lower liveness than the inventory's counter, they have ended.
/// </summary>
public sealed class InventoryRouting(IWatchCache cache, IGrainFactory grains, LinkReports reports)
{
    /// <summary>Calls under way at once, for one inventory.</summary>
    private const int AtOnce = 256;

    /// <param name="ns">The only namespace that it tells of; empty: all.</param>
    public async Task RouteAsync(string node, ulong counter, string ns, IReadOnlyList<HeldPod> held, CancellationToken stop)
    {
        var stored = cache.Find(Indexes.PodsByNode, node).Where(pod => ns.Length == 0 || pod.Key.Namespace == ns).ToArray();
        var spaces = held.ToLookup(pod => pod.Namespace, StringComparer.Ordinal);
        var names = spaces.Select(space => space.Key).Concat(stored.Select(pod => pod.Key.Namespace)).Concat(Others(ns)).ToHashSet(StringComparer.Ordinal);
        await EachAsync(names, (name, limit) => TellAsync(name, new NodeInventory(node, counter, [.. spaces[name].Select(Row)]), limit), stop);
        await EachAsync(Differing(stored, held), (pod, limit) => TellAsync(Heard(pod, node), limit), stop);
        PodReport[] ends = [.. Absent(stored, held).Select(pod => End(pod, node, counter))];
        await EachAsync(ends, reports.ObserveAsync, stop); // told on before the first commit is waited for
        await EachAsync(ends, reports.ReportAsync, stop);
    }

    /// <summary>Whether the registry's rows say otherwise than the node's digest.</summary>
    public async Task<bool> IsOtherAsync(string node, string ns, HeldDigest digest, CancellationToken stop)
    {
        var known = await grains.GetGrain<IPodRegistryGrain>(RegistryKeys.Of(ns)).DigestOf(node, stop);
        return (known.Hash, known.Count) != (digest.Hash, digest.Count);
    }

    private static Task EachAsync<T>(IEnumerable<T> all, Func<T, CancellationToken, Task> call, CancellationToken stop) => Parallel.ForEachAsync(
        all,
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop },
        async (one, limit) => await call(one, limit));

    /// <summary>A registry may hold rows of this node whose objects are gone: it hears of every namespace, also the empty ones.</summary>
    private IEnumerable<string> Others(string ns) =>
        ns.Length > 0 ? [ns] : cache.List("", "Namespace", null).Items.Select(stored => stored.Key.Name);

    private async Task TellAsync(PodReport heard, CancellationToken stop)
    {
        if (await reports.ObserveAsync(heard, stop) is null or { Result: PodReportResult.Heard })
        {
            await reports.ReportAsync(heard, stop);
        }
    }

    private Task<bool> TellAsync(string ns, NodeInventory inventory, CancellationToken stop) =>
        reports.TryAsync(() => grains.GetGrain<IPodRegistryGrain>(RegistryKeys.Of(ns)).Inventory(inventory, stop), stop);

    private static IEnumerable<StoredObject> Absent(StoredObject[] stored, IReadOnlyList<HeldPod> held)
    {
        var uids = held.Select(pod => pod.Uid).ToHashSet(StringComparer.Ordinal);
        return stored.Where(pod => RegisteredPod.IsRegistered(pod.Document) && !uids.Contains(pod.Uid));
    }

    /// <summary>Pods that the API shows otherwise, such as after their node was silent.</summary>
    private static IEnumerable<HeldPod> Differing(StoredObject[] stored, IReadOnlyList<HeldPod> held)
    {
        var shown = stored.ToDictionary(pod => pod.Uid, pod => PodDocument.IsReady(pod.Document), StringComparer.Ordinal);
        return held.Where(pod => shown.TryGetValue(pod.Uid, out var isReady) && isReady != pod.IsReady);
    }

    // Not as a registration: it says nothing of labels and ports.
    private static PodReport Heard(HeldPod pod, string node) => new(
        pod.Namespace, pod.Name, pod.Uid, node, default, 0, pod.Liveness, pod.IsReady, pod.IsTerminating, false, "", "", IsRegistered: false);

    private static PodReport End(StoredObject pod, string node, ulong counter) => new(
        pod.Key.Namespace, pod.Key.Name, pod.Uid, node, default, 0, counter, false, false, IsEnded: true, "NodeLost", "its node no longer holds it", true);

    private static PodRow Row(HeldPod pod) => new(
        pod.Name, new OrderMessage(pod.Uid, 0, 0, pod.Liveness), [], null, [], "", pod.IsReady, pod.IsTerminating, pod.IsRegistered, false);
}

/// <summary>One Pod of a node's inventory.</summary>
public sealed record HeldPod(string Namespace, string Name, string Uid, ulong Liveness, bool IsReady, bool IsTerminating, bool IsRegistered);
