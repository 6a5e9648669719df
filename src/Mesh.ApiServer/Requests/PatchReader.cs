using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Patching;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Requests;

/// <summary>Makes a patch out of a request's body; applying it may happen several times, each on a newer object.</summary>
internal static class PatchReader
{
    private const string JsonPatchType = "application/json-patch+json";
    private const string MergePatchType = "application/merge-patch+json";
    private const string StrategicPatchType = "application/strategic-merge-patch+json";
    private const string ApplyPatchType = "application/apply-patch+yaml";

    public static Outcome<Func<JsonObject, Outcome<JsonObject>>> Read(Resource resource, RequestBody body, Warnings warnings)
    {
        if (body.MediaType == ApplyPatchType)
        {
            return ApiStatus.UnsupportedMediaType(
                "server-side apply is not in this version; use kubectl apply without --server-side");
        }

        if (body.MediaType is not (JsonPatchType or MergePatchType or StrategicPatchType))
        {
            return ApiStatus.UnsupportedMediaType(
                $"the body of the request was in an unknown format - accepted media types include: {JsonPatchType}, {MergePatchType}, {StrategicPatchType}");
        }

        if (DocumentReader.Read(body.Bytes).IsRefused(out var malformed, out var read))
        {
            return malformed;
        }

        warnings.AddRange(read.Duplicates.Select(field => $"duplicate field \"{field}\""));
        return (body.MediaType, read.Root) switch
        {
            (JsonPatchType, JsonArray operations) => Patch(target => JsonPatch.Apply(target, operations)),
            (MergePatchType, JsonObject changes) => Patch(target => (JsonObject)MergePatch.Apply(target, changes)!),
            (StrategicPatchType, JsonObject changes) => Patch(target => StrategicMergePatch.Apply(target, changes, resource.Schema)),
            _ => ApiStatus.BadRequest("the patch is not of the form that its type wants"),
        };
    }

    private static Outcome<Func<JsonObject, Outcome<JsonObject>>> Patch(Func<JsonObject, Outcome<JsonObject>> apply) => apply;
}
