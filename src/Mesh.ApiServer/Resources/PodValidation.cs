using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>Which Pods are refused (kubernetes pkg/apis/core/validation/validation.go, ValidatePodSpec), as far as Mesh uses them.</summary>
internal static class PodValidation
{
    public static void Validate(JsonObject? stored, JsonObject document, Causes causes)
    {
        var spec = document.At("spec");
        ValidateAddress(stored, document, causes);
        if (spec.At("nodeName").AsText() is { Length: > 0 } node && !DnsSubdomain.IsValid(node))
        {
            causes.Invalid("spec.nodeName", node, NameRule.DnsSubdomain.Explain(node));
        }

        if (spec.At("restartPolicy").AsText() is not ("Always" or "OnFailure" or "Never"))
        {
            causes.NotSupported("spec.restartPolicy", spec.At("restartPolicy"), "Always", "OnFailure", "Never");
        }

        if (spec.At("terminationGracePeriodSeconds").AsNumber() is < 0)
        {
            causes.Invalid("spec.terminationGracePeriodSeconds", spec.At("terminationGracePeriodSeconds"), "must be greater than or equal to 0");
        }

        ValidateContainers(spec, stored is null ? document.At("metadata", "annotations", MeshAnnotations.PodIP).AsText() ?? "" : null, causes);
        if (stored is not null)
        {
            ValidateUnchanged(stored, document, causes);
        }
    }

    /// <summary>A Pod keeps its address, as in Kubernetes: whoever routes or probes it knows it by that.</summary>
    private static void ValidateAddress(JsonObject? stored, JsonObject document, Causes causes)
    {
        const string Field = $"metadata.annotations[{MeshAnnotations.PodIP}]";
        var asked = document.At("metadata", "annotations", MeshAnnotations.PodIP).AsText();
        if (stored is not null)
        {
            if (asked != stored.At("metadata", "annotations", MeshAnnotations.PodIP).AsText())
            {
                causes.Invalid(Field, asked, "field is immutable; delete the Pod and create it with the other address");
            }
        }
        else if (asked is not null)
        {
            ServiceAddressValidation.ValidateMachine(asked, Field, causes);
        }
    }

    /// <param name="address">What the Pod says of it, which may be nothing; null: it is there already, and its probes with it.</param>
    private static void ValidateContainers(JsonNode? spec, string? address, Causes causes)
    {
        if (spec.At("containers").IsUnset())
        {
            causes.Required("spec.containers");
        }

        var names = new HashSet<string>();
        foreach (var (container, index) in spec.At("containers").AsList().Select((container, index) => (container, index)))
        {
            var field = $"spec.containers[{index}]";
            if (container.At("name").AsText() is not { Length: > 0 } name)
            {
                causes.Required($"{field}.name");
            }
            else if (!DnsLabel.IsValid(name))
            {
                causes.Invalid($"{field}.name", name, NameRule.DnsLabel.Explain(name));
            }
            else if (!names.Add(name))
            {
                causes.Duplicate($"{field}.name", name);
            }

            ContainerValidation.ValidatePorts(container.At("ports"), $"{field}.ports", causes);
            ContainerValidation.ValidateProbe(container.At("readinessProbe"), $"{field}.readinessProbe", causes);
            if (address is not null)
            {
                ContainerValidation.ValidateProbeHost(container.At("readinessProbe"), address, $"{field}.readinessProbe", causes);
            }
        }
    }

    /// <summary>A running Pod cannot become another one: only images, deadlines and tolerations may change.</summary>
    private static void ValidateUnchanged(JsonObject stored, JsonObject document, Causes causes)
    {
        if (!JsonNode.DeepEquals(Fixed(stored), Fixed(document)))
        {
            causes.Forbidden(
                "spec",
                "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
        }
    }

    private static JsonObject Fixed(JsonObject document)
    {
        // With defaults: a Pod that its node registered was stored without them.
        var whole = new JsonObject { ["spec"] = document.At("spec")?.DeepClone() };
        PodDefaults.Apply(whole);
        var spec = whole.Child("spec");
        spec.Remove("activeDeadlineSeconds");
        spec.Remove("tolerations");
        foreach (var container in spec.At("containers").AsList().Concat(spec.At("initContainers").AsList()).OfType<JsonObject>())
        {
            container.Remove("image");
            container.Remove("imagePullPolicy"); // follows the image's tag when left out
        }

        return spec;
    }
}
