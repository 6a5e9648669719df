using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Empties a Namespace that is being deleted, and removes it when nothing is left: every create has the precondition
/// that its Namespace is active, so nothing comes after.
/// </summary>
internal sealed class NamespaceEnd(IObjectStore store, IWatchCache cache, IGrainFactory grains, ILogger log)
{
    /// <summary>Every kind that can have contents here, those with grains first: their ends are the slowest.</summary>
    public static readonly (string Group, string Kind)[] Contents =
    [
        ("", "Pod"), ("", "Service"), (Kinds.NetworkingGroup, "Ingress"), ("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount"),
        (Kinds.DiscoveryGroup, "EndpointSlice"), ("", "Endpoints"), ("coordination.k8s.io", "Lease"), ("", "Event"), ("events.k8s.io", "Event"),
    ];

    /// <summary>One step; what is left is seen to with the next change in the namespace, or the next sweep.</summary>
    public async Task StepAsync(StoredObject ns, CancellationToken stop)
    {
        if (!await cache.WaitForFreshAsync(stop))
        {
            return; // a stale listing could miss what is there
        }

        var isEmpty = true;
        foreach (var (group, kind) in Contents)
        {
            foreach (var stored in cache.List(group, kind, ns.Key.Name).Items)
            {
                isEmpty = false;
                await DeleteAsync(stored, stop);
            }
        }

        if (isEmpty || IsEmptyNow(ns))
        {
            var outcome = await store.CommitAsync(
                [new Write.Delete(ns.Key, new Precondition.Is(0, ns.Uid))], CommitClass.Request, CancellationToken.None);
            if (outcome is CommitOutcome.Committed)
            {
                log.NamespaceRemoved(ns.Key.Name);
            }
        }
    }

    private bool IsEmptyNow(StoredObject ns) =>
        Contents.All(kind => cache.List(kind.Group, kind.Kind, ns.Key.Name).Items.Count == 0);

    private async Task DeleteAsync(StoredObject stored, CancellationToken stop)
    {
        var name = $"{stored.Key.Namespace}/{stored.Key.Name}";
        var request = new ObjectRequest(ObjectVerb.Delete, default, 0, stored.Uid, false);
        switch (stored.Key.Kind)
        {
            case "Pod" when stored.IsDeleting && RegisteredPod.IsRegistered(stored.Document):
                return; // its node drains it and reports the end
            case "Pod":
                await grains.GetGrain<IPodGrain>(name).Write(request, stop);
                return;
            case "Service":
                await grains.GetGrain<IServiceGrain>(name).Write(request, stop);
                return;
            case "Ingress":
                await grains.GetGrain<IIngressGrain>(name).Write(request, stop);
                return;
            default:
                await store.CommitAsync(
                    [new Write.Delete(stored.Key, new Precondition.Is(0, stored.Uid))], CommitClass.Projection, CancellationToken.None);
                return;
        }
    }
}
