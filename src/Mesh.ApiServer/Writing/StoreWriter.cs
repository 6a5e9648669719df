using System.Diagnostics;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;

namespace Mesh.ApiServer.Writing;

/// <summary>Commits objects that no grain owns.</summary>
internal sealed class StoreWriter(IObjectStore store, Admission admission) : IObjectWriter
{
    public async Task<ObjectReply> WriteAsync(Resource resource, ObjectKey key, ObjectRequest request, CancellationToken stop)
    {
        try
        {
            return request.Verb switch
            {
                ObjectVerb.Create => await CreateAsync(key, request, stop),
                ObjectVerb.Update => await UpdateAsync(resource, key, request, stop),
                ObjectVerb.Delete => await DeleteAsync(resource, key, request, stop),
                _ => throw new UnreachableException(),
            };
        }
        catch (StoreUnavailableException silent)
        {
            return new ObjectReply(ObjectResult.Unavailable, default, 0, silent.Message);
        }
        catch (CommitOutcomeUnknownException unknown)
        {
            return new ObjectReply(ObjectResult.Unknown, default, 0, unknown.Message);
        }
    }

    private async Task<ObjectReply> CreateAsync(ObjectKey key, ObjectRequest request, CancellationToken stop)
    {
        var put = new Write.Put(key, request.Document, Precondition.Absence);
        Write[] writes = key.Namespace.Length == 0 ? [put] : [new Write.Check(Kinds.Namespace(key.Namespace), Precondition.Activity), put];
        if (request.DryRun)
        {
            return await MissingAsync(key, stop)
                ?? (await store.ReadAsync(key, stop) is { } there
                    ? new ObjectReply(ObjectResult.AlreadyExists, there.Document, there.ResourceVersion, "")
                    : new ObjectReply(ObjectResult.Committed, request.Document, 0, ""));
        }

        return await store.CommitAsync(writes, CommitClass.Request, stop) switch
        {
            CommitOutcome.Committed done => Done(done.Objects[^1]!),
            CommitOutcome.Failed { Write: Write.Check, Current: null } => new(ObjectResult.NamespaceNotFound, default, 0, ""),
            CommitOutcome.Failed { Write: Write.Check } => new(ObjectResult.NamespaceTerminating, default, 0, ""),
            CommitOutcome.Failed => new(ObjectResult.AlreadyExists, default, 0, ""),
            CommitOutcome.Refused refused => Refused(refused),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>What a create that is only tried is answered when its Namespace takes no objects; null when it does.</summary>
    private async Task<ObjectReply?> MissingAsync(ObjectKey key, CancellationToken stop)
    {
        if (key.Namespace.Length == 0)
        {
            return null;
        }

        return await store.ReadAsync(Kinds.Namespace(key.Namespace), stop) switch
        {
            null => new(ObjectResult.NamespaceNotFound, default, 0, ""),
            { IsDeleting: true } => new(ObjectResult.NamespaceTerminating, default, 0, ""),
            _ => null,
        };
    }

    private async Task<ObjectReply> UpdateAsync(Resource resource, ObjectKey key, ObjectRequest request, CancellationToken stop) => request.DryRun
        ? new ObjectReply(ObjectResult.Committed, request.Document, request.IfVersion, "")
        : resource.StartDeletion is null && IsReleased(request.Document)
        ? await RemoveAsync(key, request.Document, request.IfVersion, request.IfUid, stop)
        : await ReplaceAsync(key, request.Document, request.IfVersion, request.IfUid, ObjectResult.Committed, stop);

    /// <summary>An object that is being deleted goes with the last of its finalizers.</summary>
    private static bool IsReleased(ReadOnlyMemory<byte> document) =>
        document.Span.IndexOf("\"deletionTimestamp\""u8) >= 0
        && DocumentReader.ReadStored(document).At("metadata") is var metadata
        && !metadata.At("deletionTimestamp").IsUnset()
        && metadata.At("finalizers").IsUnset();

    private async Task<ObjectReply> DeleteAsync(Resource resource, ObjectKey key, ObjectRequest request, CancellationToken stop)
    {
        var there = await store.ReadAsync(key, stop);
        if (there is null)
        {
            return new ObjectReply(ObjectResult.NotFound, default, 0, "");
        }

        if ((request.IfVersion != 0 && request.IfVersion != there.ResourceVersion)
            || (request.IfUid.Length > 0 && request.IfUid != there.Uid))
        {
            return new ObjectReply(ObjectResult.Conflict, there.Document, there.ResourceVersion, "");
        }

        var document = DocumentReader.ReadStored(there.Document);
        var before = document.At("metadata", "finalizers").AsList().Select(finalizer => finalizer.AsText() ?? "").ToArray();

        // A kind that ends by steps of its own (Namespace) has no dependents to wait for.
        var finalizers = PropagationFinalizers.Of(before, resource.StartDeletion is null ? request.Propagation : Propagation.Default);
        var isHeld = resource.StartDeletion is not null || !finalizers.IsEmpty;
        if (request.DryRun || (isHeld && there.IsDeleting && finalizers.SequenceEqual(before)))
        {
            return new ObjectReply(isHeld ? ObjectResult.DeletionStarted : ObjectResult.Committed, there.Document, there.ResourceVersion, "");
        }

        if (isHeld)
        {
            if (!finalizers.IsEmpty)
            {
                document.Child("metadata")["finalizers"] = new JsonArray([.. finalizers.Select(finalizer => (JsonNode)finalizer)]);
            }

            var ending = (there.IsDeleting ? document : admission.StartDeletion(resource, document)).ToUtf8();
            return await ReplaceAsync(key, ending, there.ResourceVersion, there.Uid, ObjectResult.DeletionStarted, stop);
        }

        return await RemoveAsync(key, there.Document, there.ResourceVersion, there.Uid, stop);
    }

    private async Task<ObjectReply> RemoveAsync(ObjectKey key, ReadOnlyMemory<byte> last, long ifVersion, string ifUid, CancellationToken stop)
    {
        var delete = new Write.Delete(key, new Precondition.Is(ifVersion, ifUid.Length == 0 ? null : ifUid));
        return await store.CommitAsync([delete], CommitClass.Request, stop) switch
        {
            CommitOutcome.Committed done => new(ObjectResult.Committed, last, done.Version, ""),
            CommitOutcome.Failed failed => Lost(failed),
            CommitOutcome.Refused refused => Refused(refused),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<ObjectReply> ReplaceAsync(
        ObjectKey key, ReadOnlyMemory<byte> document, long ifVersion, string ifUid, ObjectResult result, CancellationToken stop)
    {
        var put = new Write.Put(key, document, new Precondition.Is(ifVersion, ifUid.Length == 0 ? null : ifUid));
        return await store.CommitAsync([put], CommitClass.Request, stop) switch
        {
            CommitOutcome.Committed done => Done(done.Objects[0]!) with { Result = result },
            CommitOutcome.Failed failed => Lost(failed),
            CommitOutcome.Refused refused => Refused(refused),
            _ => throw new UnreachableException(),
        };
    }

    private static ObjectReply Done(StoredObject stored) => new(ObjectResult.Committed, stored.Document, stored.ResourceVersion, "");

    private static ObjectReply Refused(CommitOutcome.Refused refused) => new(ObjectResult.Invalid, default, 0, refused.Reason);

    private static ObjectReply Lost(CommitOutcome.Failed failed) => failed.Current is { } current
        ? new(ObjectResult.Conflict, current.Document, current.ResourceVersion, "")
        : new(ObjectResult.NotFound, default, 0, "");
}
