using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.Core.Names;
using Mesh.Core.Pods;

namespace Mesh.ApiServer.Resources;

/// <summary>What Mesh uses of a container: its ports and its readiness probe (validation.go, validateContainerPorts, validateProbe).</summary>
internal static class ContainerValidation
{
    public static void ValidatePorts(JsonNode? ports, string field, Causes causes)
    {
        var names = new HashSet<string>();
        foreach (var (port, index) in ports.AsList().Select((port, index) => (port, index)))
        {
            var path = $"{field}[{index}]";
            if (port.At("containerPort").AsNumber() is not (>= 1 and <= 65535))
            {
                causes.Invalid($"{path}.containerPort", port.At("containerPort") ?? 0, ServicePortValidation.Range);
            }

            ServicePortValidation.ValidateProtocol(port, $"{path}.protocol", causes);
            if (port.At("name").AsText() is { Length: > 0 } name)
            {
                foreach (var error in NameRules.PortNameProblems(name))
                {
                    causes.Invalid($"{path}.name", name, error);
                }

                if (!names.Add(name))
                {
                    causes.Duplicate($"{path}.name", name);
                }
            }
        }
    }

    /// <summary>A probe goes to the Pod and to nobody else: it would be a way to reach others. Registrations are told the same.</summary>
    /// <param name="address">As the Pod names it.</param>
    public static void ValidateProbeHost(JsonNode? probe, string address, string field, Causes causes)
    {
        foreach (var action in (string[])["httpGet", "tcpSocket"])
        {
            if (probe.At(action, "host").AsText() is { Length: > 0 } host && host != address)
            {
                causes.Invalid($"{field}.{action}.host", host, ProbeRules.HostText);
            }
        }
    }

    public static void ValidateProbe(JsonNode? probe, string field, Causes causes)
    {
        if (probe is null)
        {
            return;
        }

        var actions = ProbeRules.Actions.Where(action => probe.At(action) is not null).ToList();
        if (actions.Count == 0)
        {
            causes.Required(field, "must specify a handler type");
        }

        foreach (var action in actions.Skip(1))
        {
            causes.Forbidden($"{field}.{action}", "may not specify more than 1 handler type");
        }

        foreach (var action in actions.Where(action => action is "httpGet" or "tcpSocket"))
        {
            ServicePortValidation.ValidateReference(probe.At(action, "port"), $"{field}.{action}.port", causes);
        }

        if (probe.At("httpGet", "scheme").AsText() is { } scheme && !ProbeRules.Schemes.Contains(scheme))
        {
            causes.NotSupported($"{field}.httpGet.scheme", scheme, [.. ProbeRules.Schemes]);
        }

        foreach (var header in probe.At("httpGet", "httpHeaders").AsList().Select(header => header.At("name").AsText() ?? ""))
        {
            if (!ProbeRules.IsHeaderName(header))
            {
                causes.Invalid($"{field}.httpGet.httpHeaders", header, ProbeRules.HeaderNameText);
            }
        }

        foreach (var number in ProbeRules.Numbers)
        {
            if (probe.At(number).AsNumber() is < 0)
            {
                causes.Invalid($"{field}.{number}", probe.At(number), "must be greater than or equal to 0");
            }
        }
    }
}
