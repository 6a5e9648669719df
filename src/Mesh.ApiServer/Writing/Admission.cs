using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;
using Mesh.Core.Clocks;

namespace Mesh.ApiServer.Writing;

/// <summary>Makes what a client sent into what may be stored: server's own fields, defaults, validation; the same for every kind.</summary>
internal sealed class Admission(TimeProvider time, Chance chance)
{
    private const int GeneratedLength = 5;

    private const int MaxGenerateNameLength = 58;

    // Set by the cluster; a client that sends them is not heard (registry/rest, FillObjectMetaSystemFields, BeforeUpdate).
    private static readonly string[] ServerFields =
    [
        "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink", "managedFields",
    ];

    public Outcome<JsonObject> Create(ResourceRequest request, JsonObject document)
    {
        if (Identify(request, document) is { } mismatch)
        {
            return mismatch;
        }

        var resource = request.Resource;
        var metadata = document.Child("metadata");
        if (!metadata.At("resourceVersion").IsUnset())
        {
            return ApiStatus.BadRequest("resourceVersion should not be set on objects to be created");
        }

        foreach (var field in ServerFields.Append("resourceVersion"))
        {
            metadata.Remove(field);
        }

        if (metadata.At("name").IsUnset() && metadata.At("generateName").AsText() is { Length: > 0 } start)
        {
            metadata["name"] = start[..Math.Min(start.Length, MaxGenerateNameLength)] + chance.Suffix(GeneratedLength);
        }

        metadata["uid"] = chance.NewUid();
        metadata["creationTimestamp"] = Now();
        if (resource.CountsGenerations)
        {
            metadata["generation"] = 1;
        }

        document.Remove("status");
        if (resource.InitialStatus() is { } status)
        {
            document["status"] = status;
        }

        resource.Default(document);
        return Validate(resource, null, document);
    }

    public static Outcome<JsonObject> Update(ResourceRequest request, JsonObject stored, JsonObject document)
    {
        if (Identify(request, document) is { } mismatch)
        {
            return mismatch;
        }

        var resource = request.Resource;

        // What another writer stored without defaults (a node's registration) is read with them, and compared so.
        stored = (JsonObject)stored.DeepClone();
        resource.Default(stored);
        var metadata = document.Child("metadata");
        var uid = metadata.At("uid").AsText();
        if (uid is { Length: > 0 } && uid != stored.At("metadata", "uid").AsText())
        {
            return ApiStatus.Conflict(
                resource,
                request.Name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored.At("metadata", "uid").AsText()}");
        }

        foreach (var field in ServerFields.Append("resourceVersion").Append("generateName"))
        {
            metadata.CopyFrom(stored.At("metadata"), field);
        }

        document.CopyFrom(stored, "status");
        resource.Carry(stored, document);
        resource.Default(document);
        if (resource.CountsGenerations && !JsonNode.DeepEquals(stored.At("spec"), document.At("spec")))
        {
            metadata["generation"] = (stored.At("metadata", "generation").AsNumber() ?? 0) + 1;
        }

        return Validate(resource, stored, document);
    }

    /// <summary>Marks an object as ending, for kinds that the store holds.</summary>
    public JsonObject StartDeletion(Resource resource, JsonObject document)
    {
        document.Child("metadata")["deletionTimestamp"] = Now();
        resource.StartDeletion?.Invoke(document);
        return document;
    }

    private string Now() => WallClock.Now(time).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static Outcome<JsonObject> Validate(Resource resource, JsonObject? stored, JsonObject document)
    {
        var causes = new Causes();
        MetadataValidation.Validate(resource, stored, document, causes);
        resource.Validate(stored, document, causes);
        return causes.All.Count == 0
            ? document
            : ApiStatus.Invalid(resource, document.At("metadata", "name").AsText() ?? "", causes.All);
    }

    /// <summary>The document must be of the kind, namespace and name that the URL says; what it leaves out is filled in.</summary>
    private static ApiStatus? Identify(ResourceRequest request, JsonObject document)
    {
        var resource = request.Resource;
        var version = document.At("apiVersion").AsText();
        if (version is { Length: > 0 } && version != resource.ApiVersion)
        {
            return ApiStatus.BadRequest(
                $"the API version in the data ({version}) does not match the expected API version ({resource.ApiVersion})");
        }

        var kind = document.At("kind").AsText();
        if (kind is { Length: > 0 } && kind != resource.Kind)
        {
            return ApiStatus.BadRequest($"{kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}");
        }

        var metadata = document.Child("metadata");
        var ns = metadata.At("namespace").AsText();
        if (ns is { Length: > 0 } && ns != request.Namespace)
        {
            return ApiStatus.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        var name = metadata.At("name").AsText();
        if (request.Name.Length > 0 && name is not { Length: > 0 })
        {
            return ApiStatus.BadRequest($"the name of the object ({request.Name} based on URL) was undeterminable: name must be provided");
        }

        if (request.Name.Length > 0 && name != request.Name)
        {
            return ApiStatus.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Name})");
        }

        document["apiVersion"] = resource.ApiVersion;
        document["kind"] = resource.Kind;
        if (resource.IsNamespaced)
        {
            metadata["namespace"] = request.Namespace;
        }
        else
        {
            metadata.Remove("namespace");
        }

        return null;
    }
}
