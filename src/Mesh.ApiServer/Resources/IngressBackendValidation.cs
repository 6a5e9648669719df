using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>Where an Ingress sends requests (networking/validation, validateIngressBackend).</summary>
internal static class IngressBackendValidation
{
    public static void Validate(JsonNode? backend, string field, Causes causes)
    {
        var service = backend.At("service");
        var resource = backend.At("resource");
        if (service is not null && resource is not null)
        {
            causes.Invalid(field, "", "cannot set both resource and service backends");
        }
        else if (service is not null)
        {
            ValidateService(service, $"{field}.service", causes);
        }
        else if (resource is not null)
        {
            ValidateResource(resource, $"{field}.resource", causes);
        }
        else
        {
            causes.Invalid(field, "", "resource or service backend is required");
        }
    }

    private static void ValidateService(JsonNode service, string field, Causes causes)
    {
        if (service.At("name").AsText() is not { Length: > 0 } name)
        {
            causes.Required($"{field}.name");
        }
        else if (!NameRule.Dns1035Label.IsValid(name))
        {
            causes.Invalid($"{field}.name", name, NameRule.Dns1035Label.Explain(name));
        }

        var portName = service.At("port", "name").AsText() ?? "";
        var hasNumber = service.At("port", "number").AsNumber() is not (null or 0);
        if (portName.Length > 0 && hasNumber)
        {
            causes.Invalid(field, "", "cannot set both port name & port number");
        }
        else if (portName.Length > 0)
        {
            foreach (var error in NameRules.PortNameProblems(portName))
            {
                causes.Invalid($"{field}.port.name", portName, error);
            }
        }
        else if (hasNumber)
        {
            ServicePortValidation.ValidateReference(service.At("port", "number"), $"{field}.port.number", causes);
        }
        else
        {
            causes.Required(field, "port name or number is required");
        }
    }

    private static void ValidateResource(JsonNode resource, string field, Causes causes)
    {
        foreach (var required in new[] { "kind", "name" })
        {
            if (resource.At(required).IsUnset())
            {
                causes.Required($"{field}.{required}");
            }
        }

        if (resource.At("apiGroup").AsText() is { Length: > 0 } group && !DnsSubdomain.IsValid(group))
        {
            causes.Invalid($"{field}.apiGroup", group, NameRule.DnsSubdomain.Message);
        }
    }
}
