using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Pods;

/// <summary>Reads an admitted Pod document.</summary>
public static class PodParser
{
    /// <exception cref="FormatException">The document is not an admitted Pod.</exception>
    public static Pod Parse(ReadOnlyMemory<byte> document, long createdVersion) =>
        JsonFields.Read(document, "Pod", root => Read(root, createdVersion));

    private static Pod Read(JsonElement root, long createdVersion)
    {
        var meta = ObjectMeta.Of(root);
        var spec = root.Child("spec");
        var status = root.Child("status");
        return new Pod
        {
            Name = meta.Name,
            Uid = meta.Uid,
            ResourceVersion = meta.ResourceVersion,
            CreatedVersion = createdVersion,
            Labels = meta.Labels(),
            PodIP = Address(status.Text("podIP")) ?? Address(meta.Annotation(MeshAnnotations.PodIP)),
            NodeName = spec.Text("nodeName") is { Length: > 0 } node ? node : null,
            Ports = Ports(spec),
            IsRegistered = meta.Annotation(MeshAnnotations.RegisteredBy) == MeshAnnotations.RegisteredByStream,
            IsReady = status.Items("conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True"),
            IsTerminal = status.Text("phase") is "Succeeded" or "Failed",
            IsDeleting = meta.IsDeleting,
            ReadinessProbe = ProbeParser.Read(spec.Items("containers").FirstOrDefault().Child("readinessProbe")),
        };
    }

    private static IPAddress? Address(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return AddressText.TryParse(text, out var address) ? address : throw new FormatException($"The Pod's address is no IP address: '{text}'.");
    }

    /// <summary>A Service's named target port is looked for in the containers, then in sidecars (init containers that stay).</summary>
    private static ImmutableArray<ContainerPort> Ports(JsonElement spec) =>
    [
        .. spec.Items("containers")
            .Concat(spec.Items("initContainers").Where(container => container.Text("restartPolicy") == "Always"))
            .SelectMany(container => container.Items("ports"))
            .Select(port => new ContainerPort(
                port.Text("name") is { Length: > 0 } name ? name : null,
                ServiceParser.PortNumber(port, "containerPort"),
                ServiceParser.Protocol(port))),
    ];
}
