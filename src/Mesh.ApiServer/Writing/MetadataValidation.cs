using System.Text;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Writing;

/// <summary>Metadata that no kind may have (apimachinery pkg/api/validation/objectmeta.go).</summary>
internal static class MetadataValidation
{
    private const int MaxAnnotationBytes = 256 * 1024;

    public static void Validate(Resource resource, JsonObject? stored, JsonObject document, Causes causes)
    {
        var metadata = document.At("metadata");
        if (metadata.At("name").AsText() is not { Length: > 0 } name)
        {
            causes.Required("metadata.name", "name or generateName is required");
        }
        else if (!resource.Names.IsValid(name))
        {
            causes.Invalid("metadata.name", name, resource.Names.Explain(name));
        }

        ValidateLabels(metadata.At("labels"), causes);
        ValidateAnnotations(metadata.At("annotations"), causes);
        ValidateOwners(metadata.At("ownerReferences"), causes);
        ValidateFinalizers(stored, metadata.At("finalizers"), causes);
    }

    private static void ValidateLabels(JsonNode? labels, Causes causes)
    {
        foreach (var (key, value) in labels as JsonObject ?? [])
        {
            if (!NameRules.IsQualifiedName(key))
            {
                causes.Invalid("metadata.labels", key, NameRules.QualifiedNameText);
            }

            if (!NameRules.IsLabelValue(value.AsText() ?? ""))
            {
                causes.Invalid("metadata.labels", value, NameRules.LabelValueText);
            }
        }
    }

    private static void ValidateAnnotations(JsonNode? annotations, Causes causes)
    {
        var size = 0L;
        foreach (var (key, value) in annotations as JsonObject ?? [])
        {
            size += key.Length + Encoding.UTF8.GetByteCount(value.AsText() ?? "");
#pragma warning disable CA1308 // keys of annotations are compared in lower case (ValidateAnnotations)
            if (!NameRules.IsQualifiedName(key.ToLowerInvariant()))
#pragma warning restore CA1308
            {
                causes.Invalid("metadata.annotations", key, NameRules.QualifiedNameText);
            }
        }

        if (size > MaxAnnotationBytes)
        {
            causes.TooLong("metadata.annotations", MaxAnnotationBytes);
        }
    }

    private static void ValidateOwners(JsonNode? owners, Causes causes)
    {
        foreach (var (owner, index) in owners.AsList().Select((owner, index) => (owner, index)))
        {
            foreach (var field in new[] { "apiVersion", "kind", "name", "uid" })
            {
                if (owner.At(field).IsUnset())
                {
                    causes.Invalid($"metadata.ownerReferences[{index}].{field}", "", $"{field} must not be empty");
                }
            }
        }
    }

    private static void ValidateFinalizers(JsonObject? stored, JsonNode? finalizers, Causes causes)
    {
        var known = stored.At("metadata", "finalizers").AsList().Select(finalizer => finalizer.AsText()).ToHashSet();
        var isDeleting = stored.At("metadata", "deletionTimestamp") is not null;
        foreach (var (finalizer, index) in finalizers.AsList().Select((finalizer, index) => (finalizer.AsText() ?? "", index)))
        {
            if (!NameRules.IsQualifiedName(finalizer))
            {
                causes.Invalid($"metadata.finalizers[{index}]", finalizer, NameRules.QualifiedNameText);
            }

            if (isDeleting && !known.Contains(finalizer))
            {
                causes.Forbidden("metadata.finalizers", $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{\"{finalizer}\"}}");
            }
        }
    }
}
