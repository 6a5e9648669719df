using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;

namespace Mesh.ApiServer.Writing;

/// <summary>
/// Holds an object that has finalizers: its deletion marks it, and it goes with the update that takes the last one away
/// (apiserver pkg/registry/generic/registry/store.go, Delete and deleteWithoutFinalizers).
/// </summary>
internal sealed class FinalizerWriter(IObjectWriter inner, IWatchCache cache, Admission admission) : IObjectWriter
{
    public async Task<ObjectReply> WriteAsync(Resource resource, ObjectKey key, ObjectRequest request, CancellationToken stop)
    {
        switch (request.Verb)
        {
            case ObjectVerb.Update when IsFinished(request.Document):
                return await inner.WriteAsync(resource, key, request with { Verb = ObjectVerb.Delete, Document = default }, stop);
            case ObjectVerb.Delete:
                await cache.WaitForFreshAsync(stop);
                return await DeleteAsync(resource, key, request, cache.Get(key), stop);
            default:
                return await inner.WriteAsync(resource, key, request, stop);
        }
    }

    private Task<ObjectReply> DeleteAsync(
        Resource resource, ObjectKey key, ObjectRequest request, StoredObject? stored, CancellationToken stop)
    {
        // Preconditions of the client that do not hold are refused by whoever commits.
        if (stored is null
            || (request.IfVersion != 0 && request.IfVersion != stored.ResourceVersion)
            || (request.IfUid.Length > 0 && request.IfUid != stored.Uid))
        {
            return inner.WriteAsync(resource, key, request, stop);
        }

        // Made from this state: a finalizer that comes meanwhile is a conflict, and looked at again.
        var pinned = request with { IfVersion = stored.ResourceVersion, IfUid = stored.Uid };
        var document = DocumentReader.ReadStored(stored.Document);
        if (document.At("metadata", "finalizers").IsUnset())
        {
            return inner.WriteAsync(resource, key, pinned, stop);
        }

        return stored.IsDeleting
            ? Task.FromResult(new ObjectReply(ObjectResult.DeletionStarted, stored.Document, stored.ResourceVersion, ""))
            : MarkAsync(resource, key, pinned, document, stop);
    }

    private async Task<ObjectReply> MarkAsync(
        Resource resource, ObjectKey key, ObjectRequest pinned, JsonObject document, CancellationToken stop)
    {
        admission.StartDeletion(resource, document);
        document.Child("metadata")["deletionGracePeriodSeconds"] = 0;
        var reply = await inner.WriteAsync(resource, key, pinned with { Verb = ObjectVerb.Update, Document = document.ToUtf8() }, stop);
        return reply.Result == ObjectResult.Committed ? reply with { Result = ObjectResult.DeletionStarted } : reply;
    }

    private static bool IsFinished(ReadOnlyMemory<byte> document)
    {
        using var parsed = JsonDocument.Parse(document);
        var metadata = parsed.RootElement.At("metadata");
        return metadata.At("deletionTimestamp").Text().Length > 0 && !metadata.At("finalizers").Items().Any();
    }
}
