using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Patching;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Writing;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;

namespace Mesh.ApiServer.Own;

/// <summary>Writes the objects that Mesh itself wants to exist, admitted as a client's would be.</summary>
internal sealed class OwnObjects(Admission admission, IObjectWriters writers, StoreWriter store, IWatchCache cache)
{
    /// <exception cref="InvalidOperationException">It is not admitted: a mistake of Mesh's own.</exception>
    public async Task<ObjectReply> CreateAsync(Resource resource, string ns, JsonObject document, CancellationToken stop)
    {
        var name = document.At("metadata", "name").AsText()!;
        if (admission.Create(new ResourceRequest(resource, ns, "", ""), document).IsRefused(out var refusal, out var admitted))
        {
            throw new InvalidOperationException(refusal.Message);
        }

        var create = new ObjectRequest(ObjectVerb.Create, admitted.ToUtf8(), 0, "", DryRun: false);
        return await WriterOf(resource).WriteAsync(resource, resource.Key(ns, name), create, stop);
    }

    /// <summary>Creates the object, or gives it back what was changed of what is wanted; the rest of it stays. Null: all is well.</summary>
    public async Task<ObjectReply?> EnsureAsync(Resource resource, string ns, JsonObject wanted, CancellationToken stop)
    {
        var key = resource.Key(ns, wanted.At("metadata", "name").AsText()!);
        if (cache.Get(key) is not { } stored)
        {
            return await CreateAsync(resource, ns, wanted, stop);
        }

        var before = DocumentReader.ReadStored(stored.Document);
        var next = (JsonObject)MergePatch.Apply(before.DeepClone(), wanted)!;
        if (stored.IsDeleting || JsonNode.DeepEquals(before, next))
        {
            return null;
        }

        var update = new ObjectRequest(ObjectVerb.Update, next.ToUtf8(), stored.ResourceVersion, stored.Uid, DryRun: false);
        return await WriterOf(resource).WriteAsync(resource, key, update, stop);
    }

    // Clients may not write the kinds that others keep; Mesh's own objects of these are written like any without a grain.
    private IObjectWriter WriterOf(Resource resource) => resource.IsWritable ? writers.For(resource) : store;
}
