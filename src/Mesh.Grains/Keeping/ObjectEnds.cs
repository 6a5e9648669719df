using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>Deletes and changes objects for the Keeper: each through its grain, or in the store when it has none.</summary>
internal sealed class ObjectEnds(IObjectStore store, IGrainFactory grains, TimeProvider time)
{
    /// <returns>False: it changed meanwhile, or the store did not take it; look again.</returns>
    public async Task<bool> DeleteAsync(StoredObject stored, Propagation propagation, CancellationToken stop)
    {
        if (GrainOf(stored.Key) is { } grain)
        {
            var request = new ObjectRequest(
                ObjectVerb.Delete, default, stored.ResourceVersion, stored.Uid, DryRun: false, Propagation: propagation);
            return IsDone(await grain.Write(request, stop));
        }

        var finalizers = PropagationFinalizers.Of(FinalizedRules.Of(stored.Document), propagation);
        return await CommitAsync(
            finalizers.IsEmpty
                ? new Write.Delete(stored.Key, Unchanged(stored))
                : new Write.Put(stored.Key, FinalizedRules.Mark(stored, finalizers, WallClock.Now(time)), Unchanged(stored)));
    }

    /// <returns>False: it changed meanwhile, or the store did not take it; look again.</returns>
    public async Task<bool> UpdateAsync(StoredObject stored, ReadOnlyMemory<byte> document, CancellationToken stop)
    {
        if (GrainOf(stored.Key) is { } grain)
        {
            return IsDone(await grain.Write(new ObjectRequest(ObjectVerb.Update, document, stored.ResourceVersion, stored.Uid, DryRun: false), stop));
        }

        return await CommitAsync(
            stored.IsDeleting && FinalizedRules.HasFinalizers(stored.Document) && !FinalizedRules.HasFinalizers(document)
                ? new Write.Delete(stored.Key, Unchanged(stored))
                : new Write.Put(stored.Key, document, Unchanged(stored)));
    }

    private async Task<bool> CommitAsync(Write write) =>
        await store.CommitAsync([write], CommitClass.Projection, CancellationToken.None) is CommitOutcome.Committed;

    private IObjectGrain? GrainOf(ObjectKey key) => key.Kind switch
    {
        "Pod" => grains.GetGrain<IPodGrain>($"{key.Namespace}/{key.Name}"),
        "Service" => grains.GetGrain<IServiceGrain>($"{key.Namespace}/{key.Name}"),
        "Ingress" => grains.GetGrain<IIngressGrain>($"{key.Namespace}/{key.Name}"),
        _ => null,
    };

    private static bool IsDone(ObjectReply reply) => reply.Result is ObjectResult.Committed or ObjectResult.DeletionStarted or ObjectResult.NotFound;

    private static Precondition.Is Unchanged(StoredObject stored) => new(stored.ResourceVersion, stored.Uid);
}
