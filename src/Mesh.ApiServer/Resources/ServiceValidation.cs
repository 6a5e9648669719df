using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>Which Services are refused (kubernetes pkg/apis/core/validation/validation.go, ValidateService).</summary>
internal static class ServiceValidation
{
    public static void Validate(JsonObject? stored, JsonObject document, Causes causes)
    {
        var spec = document.At("spec");
        var type = spec.At("type").AsText();
        if (type is not ("ClusterIP" or "NodePort" or "LoadBalancer" or "ExternalName"))
        {
            causes.NotSupported("spec.type", spec.At("type"), "ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
            return;
        }

        if (type == "ExternalName")
        {
            ValidateExternalName(spec, causes);
        }
        else
        {
            ServiceAddressValidation.Validate(stored, spec, type, causes);
            if (spec.At("clusterIP").AsText() != "None" && spec.At("ports").IsUnset())
            {
                causes.Required("spec.ports");
            }
        }

        ServicePortValidation.Validate(spec.At("ports"), type, causes);
        ValidateSelector(spec.At("selector"), causes);
        ValidateAffinity(spec, causes);
        ValidatePolicies(spec, type, causes);
        ValidateExternalAddresses(spec, causes);
        ValidateLoadBalancer(stored, spec, type, causes);
    }

    private static void ValidateExternalName(JsonNode? spec, Causes causes)
    {
        foreach (var field in new[] { "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy" })
        {
            if (!spec.At(field).IsUnset())
            {
                causes.Forbidden($"spec.{field}", "may not be set for ExternalName services");
            }
        }

        if (spec.At("externalName").AsText() is not { Length: > 0 } name)
        {
            causes.Required("spec.externalName");
        }
        else if (!DnsSubdomain.IsValid(name.EndsWith('.') ? name[..^1] : name))
        {
            causes.Invalid("spec.externalName", name, NameRule.DnsSubdomain.Message);
        }
    }

    private static void ValidateSelector(JsonNode? selector, Causes causes)
    {
        foreach (var (key, value) in selector as JsonObject ?? [])
        {
            if (!NameRules.IsQualifiedName(key))
            {
                causes.Invalid("spec.selector", key, NameRules.QualifiedNameText);
            }

            if (!NameRules.IsLabelValue(value.AsText() ?? ""))
            {
                causes.Invalid("spec.selector", value, NameRules.LabelValueText);
            }
        }
    }

    private static void ValidateAffinity(JsonNode? spec, Causes causes)
    {
        var timeout = spec.At("sessionAffinityConfig", "clientIP", "timeoutSeconds");
        switch (spec.At("sessionAffinity").AsText())
        {
            case "None":
                break;
            case "ClientIP" when timeout.AsNumber() is > 0 and <= 86400:
                break;
            case "ClientIP":
                causes.Invalid(
                    "spec.sessionAffinityConfig.clientIP.timeoutSeconds", timeout, "must be greater than 0 and less than 86400");
                break;
            default:
                causes.NotSupported("spec.sessionAffinity", spec.At("sessionAffinity"), "ClientIP", "None");
                break;
        }
    }

    private static void ValidatePolicies(JsonNode? spec, string type, Causes causes)
    {
        if (type != "ExternalName" && spec.At("internalTrafficPolicy").AsText() is not ("Cluster" or "Local"))
        {
            causes.NotSupported("spec.internalTrafficPolicy", spec.At("internalTrafficPolicy"), "Cluster", "Local");
        }

        if (spec.At("externalTrafficPolicy").AsText() is { Length: > 0 } external)
        {
            if (type is "ExternalName" || (type == "ClusterIP" && spec.At("externalIPs").IsUnset()))
            {
                causes.Invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services");
            }
            else if (external is not ("Cluster" or "Local"))
            {
                causes.NotSupported("spec.externalTrafficPolicy", external, "Cluster", "Local");
            }
        }

        if (spec.At("trafficDistribution").AsText() is { Length: > 0 } distribution and not "PreferClose")
        {
            causes.NotSupported("spec.trafficDistribution", distribution, "PreferClose");
        }
    }

    private static void ValidateExternalAddresses(JsonNode? spec, Causes causes)
    {
        foreach (var (address, index) in spec.At("externalIPs").AsList().Select((address, index) => (address, index)))
        {
            ServiceAddressValidation.ValidateMachine(address.AsText(), $"spec.externalIPs[{index}]", causes);
        }
    }

    private static void ValidateLoadBalancer(JsonObject? stored, JsonNode? spec, string type, Causes causes)
    {
        if (spec.At("healthCheckNodePort").AsNumber() is > 0
            && !(type == "LoadBalancer" && spec.At("externalTrafficPolicy").AsText() == "Local"))
        {
            causes.Invalid(
                "spec.healthCheckNodePort",
                spec.At("healthCheckNodePort"),
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
        }

        if (type != "LoadBalancer")
        {
            const string Only = "may only be used when `type` is 'LoadBalancer'";
            ForbidWhenSet(spec, "loadBalancerSourceRanges", "LoadBalancerSourceRanges", Only, causes); // the capital is Kubernetes' own
            ForbidWhenSet(spec, "allocateLoadBalancerNodePorts", "allocateLoadBalancerNodePorts", Only, causes);
            ForbidWhenSet(spec, "loadBalancerClass", "loadBalancerClass", Only, causes);
        }
        else if (stored.At("spec", "type").AsText() == "LoadBalancer"
            && stored.At("spec", "loadBalancerClass").AsText() != spec.At("loadBalancerClass").AsText())
        {
            causes.Invalid("spec.loadBalancerClass", spec.At("loadBalancerClass"), "may not change once set");
        }
        else if (spec.At("loadBalancerClass").AsText() is { Length: > 0 } name && !NameRules.IsQualifiedName(name))
        {
            causes.Invalid("spec.loadBalancerClass", name, NameRules.QualifiedNameText);
        }
    }

    private static void ForbidWhenSet(JsonNode? spec, string field, string shown, string why, Causes causes)
    {
        if (!spec.At(field).IsUnset())
        {
            causes.Forbidden($"spec.{shown}", why);
        }
    }
}
