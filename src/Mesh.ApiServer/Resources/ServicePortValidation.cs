using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.ApiServer.Resources;

/// <summary>The ports of a Service (validation.go, validateServicePort).</summary>
internal static class ServicePortValidation
{
    public const string Range = "must be between 1 and 65535, inclusive";

    public static void Validate(JsonNode? ports, string type, Causes causes)
    {
        var all = ports.AsList().ToList();
        if (type is "NodePort" or "LoadBalancer" && all.Count > ServiceLimits.MostExternalPorts)
        {
            causes.TooMany("spec.ports", all.Count, ServiceLimits.MostExternalPorts);
            return;
        }

        var names = new HashSet<string>();
        var numbers = new HashSet<(string?, long?)>();
        var nodePorts = new HashSet<(string?, long?)>();
        for (var i = 0; i < all.Count; i++)
        {
            var port = all[i];
            var path = string.Create(CultureInfo.InvariantCulture, $"spec.ports[{i}]");
            ValidateName(port, path, all.Count > 1, names, causes);
            ValidateNumbers(port, path, causes);
            ValidateProtocol(port, $"{path}.protocol", causes);
            var protocol = port.At("protocol").AsText();
            if (!numbers.Add((protocol, port.At("port").AsNumber())))
            {
                causes.Duplicate(path, new JsonObject { ["port"] = port.At("port")?.DeepClone(), ["protocol"] = protocol });
            }

            ValidateNodePort(port, path, type, nodePorts, causes);
            if (port.At("appProtocol").AsText() is { Length: > 0 } application && !NameRules.IsQualifiedName(application))
            {
                causes.Invalid($"{path}.appProtocol", application, NameRules.QualifiedNameText);
            }
        }
    }

    public static void ValidateProtocol(JsonNode? port, string field, Causes causes)
    {
        if (port.At("protocol").AsText() is not ("TCP" or "UDP" or "SCTP"))
        {
            causes.NotSupported(field, port.At("protocol"), "SCTP", "TCP", "UDP");
        }
    }

    /// <summary>A port by number, or by a container port's name.</summary>
    public static void ValidateReference(JsonNode? reference, string field, Causes causes)
    {
        if (reference.AsText() is { } text)
        {
            foreach (var error in NameRules.PortNameProblems(text))
            {
                causes.Invalid(field, text, error);
            }
        }
        else if (reference.AsNumber() is not (>= 1 and <= 65535))
        {
            causes.Invalid(field, reference ?? 0, Range);
        }
    }

    private static void ValidateName(JsonNode? port, string path, bool isNeeded, HashSet<string> names, Causes causes)
    {
        if (port.At("name").AsText() is not { Length: > 0 } name)
        {
            if (isNeeded)
            {
                causes.Required($"{path}.name");
            }
        }
        else if (!DnsLabel.IsValid(name))
        {
            causes.Invalid($"{path}.name", name, NameRule.DnsLabel.Explain(name));
        }
        else if (!names.Add(name))
        {
            causes.Duplicate($"{path}.name", name);
        }
    }

    private static void ValidateNumbers(JsonNode? port, string path, Causes causes)
    {
        if (port.At("port").AsNumber() is not (>= 1 and <= 65535))
        {
            causes.Invalid($"{path}.port", port.At("port") ?? 0, Range);
        }

        ValidateReference(port.At("targetPort"), $"{path}.targetPort", causes);
    }

    private static void ValidateNodePort(JsonNode? port, string path, string type, HashSet<(string?, long?)> seen, Causes causes)
    {
        if (port.At("nodePort").AsNumber() is not (not 0 and { } nodePort))
        {
            return;
        }

        if (type is "ClusterIP" or "ExternalName")
        {
            causes.Forbidden($"{path}.nodePort", $"may not be used when `type` is '{type}'");
        }
        else if (nodePort is < 1 or > 65535)
        {
            causes.Invalid($"{path}.nodePort", nodePort, Range);
        }
        else if (!seen.Add((port.At("protocol").AsText(), nodePort)))
        {
            causes.Duplicate($"{path}.nodePort", nodePort);
        }
    }
}
