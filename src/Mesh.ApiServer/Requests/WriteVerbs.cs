using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Writing;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>What a write ended with: the object as stored, or as it would be.</summary>
internal sealed record Written(int Code, string Name, ReadOnlyMemory<byte> Document, ObjectResult Result);

/// <summary>Create, update, patch and delete, for every kind.</summary>
internal sealed class WriteVerbs(Reads reads, Admission admission, IObjectWriters writers)
{
    // A generated name that is taken is drawn again.
    private const int MaxNameDraws = 8;

    // A patch or update without resourceVersion is made again on the newer object, as often as others win.
    private const int MaxAttempts = 100;

    public async Task<Outcome<Written>> CreateAsync(
        ResourceRequest request, RequestBody body, WriteOptions options, Warnings warnings, CancellationToken stop)
    {
        for (var draw = 1; ; draw++)
        {
            if (ObjectReader.Read(request.Resource, body.Bytes, null, options.FieldValidation, warnings).IsRefused(out var bad, out var sent))
            {
                return bad;
            }

            var isGenerated = sent.At("metadata", "name").IsUnset();
            if (admission.Create(request, sent).IsRefused(out var refused, out var document))
            {
                return refused;
            }

            warnings.AddRange(request.Resource.Warn(document));
            var name = document.At("metadata", "name").AsText()!;
            if (Encode(document).IsRefused(out var tooLarge, out var encoded))
            {
                return tooLarge;
            }

            var create = new ObjectRequest(ObjectVerb.Create, encoded, 0, "", options.DryRun);
            var reply = await WriteAsync(request.Resource.Key(request.Namespace, name), request, create, stop);
            if (isGenerated && reply.Result == ObjectResult.AlreadyExists && draw < MaxNameDraws)
            {
                continue;
            }

            return Replies.Refusal(reply, request, name) is { } refusal
                ? refusal
                : new Written(StatusCodes.Status201Created, name, reply.Document, reply.Result);
        }
    }

    /// <summary>Replaces the object by what <paramref name="change"/> makes of it.</summary>
    public async Task<Outcome<Written>> UpdateAsync(
        ResourceRequest request, WriteOptions options, Func<JsonObject, Outcome<JsonObject>> change, Warnings warnings, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            if ((await reads.GetAsync(request, stop)).IsRefused(out var missing, out var stored))
            {
                return missing;
            }

            if (change(DocumentReader.ReadStored(stored.Document)).IsRefused(out var unchanged, out var changed))
            {
                return unchanged;
            }

            if (Prepare(request, stored, changed, warnings).IsRefused(out var refused, out var next))
            {
                return refused;
            }

            if (next.Length == 0)
            {
                return new Written(StatusCodes.Status200OK, request.Name, stored.Document, ObjectResult.Committed);
            }

            var update = new ObjectRequest(ObjectVerb.Update, next, stored.ResourceVersion, stored.Uid, options.DryRun);
            var reply = await WriteAsync(request.Key, request, update, stop);
            if (reply.Result == ObjectResult.Conflict && attempt < MaxAttempts)
            {
                continue; // a client that named a resourceVersion is refused by the next look
            }

            return Replies.Refusal(reply, request, request.Name) is { } refusal
                ? refusal
                : new Written(StatusCodes.Status200OK, request.Name, reply.Document, reply.Result);
        }
    }

    public async Task<Outcome<Written>> DeleteAsync(ResourceRequest request, DeleteOptions options, CancellationToken stop)
    {
        if (request.Resource.Undeletable.Contains(request.Name))
        {
            return ApiStatus.Forbidden(request.Resource, request.Name, $"this {request.Resource.Singular} may not be deleted");
        }

        var delete = new ObjectRequest(
            ObjectVerb.Delete, default, options.IfVersion, options.IfUid, options.DryRun, options.GracePeriodSeconds, options.Propagation);
        for (var attempt = 1; ; attempt++)
        {
            var reply = await WriteAsync(request.Key, request, delete, stop);
            if (reply.Result == ObjectResult.Conflict && options.IfVersion == 0 && options.IfUid.Length == 0 && attempt < MaxAttempts)
            {
                continue;
            }

            return Replies.Refusal(reply, request, request.Name) is { } refusal
                ? refusal
                : new Written(StatusCodes.Status200OK, request.Name, reply.Document, reply.Result);
        }
    }

    /// <summary>The document to commit; empty when nothing would change, which is no write and no event.</summary>
    private static Outcome<byte[]> Prepare(
        ResourceRequest request, StoredObject stored, JsonObject changed, Warnings warnings)
    {
        var named = changed.At("metadata", "resourceVersion").AsText();
        if (named is { Length: > 0 } && named != stored.ResourceVersion.ToString(CultureInfo.InvariantCulture))
        {
            return ApiStatus.Modified(request.Resource, request.Name);
        }

        var before = DocumentReader.ReadStored(stored.Document);
        if (Admission.Update(request, before, changed).IsRefused(out var refused, out var next))
        {
            return refused;
        }

        warnings.AddRange(request.Resource.Warn(next));
        return JsonNode.DeepEquals(before, next) ? Array.Empty<byte>() : Encode(next);
    }

    // A patch, or defaults, may make a large object of a small request.
    private static Outcome<byte[]> Encode(JsonObject document)
    {
        var encoded = document.ToUtf8();
        return encoded.Length > StoreLimits.MaxDocumentBytes
            ? ApiStatus.TooLarge($"the object would have {encoded.Length} bytes; {StoreLimits.MaxDocumentBytes} is the limit")
            : encoded;
    }

    private async Task<ObjectReply> WriteAsync(ObjectKey key, ResourceRequest request, ObjectRequest write, CancellationToken stop)
    {
        // A name that cannot exist reaches no grain: its key would be one nobody can store.
        if (write.Verb == ObjectVerb.Delete && !request.Resource.Names.IsValid(request.Name))
        {
            return new ObjectReply(ObjectResult.NotFound, default, 0, "");
        }

        return request.Resource.IsNamespaced && !DnsLabel.IsValid(request.Namespace)
            ? new ObjectReply(ObjectResult.NamespaceNotFound, default, 0, "")
            : await writers.For(request.Resource).WriteAsync(request.Resource, key, write, stop);
    }
}
