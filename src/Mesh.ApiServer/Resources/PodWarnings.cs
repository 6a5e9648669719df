using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Pods;

namespace Mesh.ApiServer.Resources;

/// <summary>What of a Pod is stored and has no effect.</summary>
internal static class PodWarnings
{
    private static readonly string[] Kubelets =
        ["image", "command", "args", "env", "envFrom", "volumeMounts", "lifecycle", "livenessProbe", "startupProbe"];

    public static IEnumerable<string> For(JsonObject document)
    {
        var spec = document.At("spec");
        if (!spec.At("subdomain").IsUnset())
        {
            yield return $"spec.subdomain {NotServed.Words}: below a headless Service the Pod's name is its address with dashes";
        }

        if (!spec.At("initContainers").IsUnset())
        {
            yield return $"spec.initContainers {NotServed.Words}: Mesh starts no containers";
        }

        var containers = spec.At("containers").AsList().Select((container, index) => (container, index));
        foreach (var warning in containers.SelectMany(pair => OfContainer(pair.container, pair.index)))
        {
            yield return warning;
        }
    }

    /// <summary>Of a registered Pod, whose user gave none.</summary>
    private static bool IsOwnImage(string field, JsonNode? container) => field == "image" && container.At(field).AsText() == RegisteredContainer.Image;

    private static IEnumerable<string> OfContainer(JsonNode? container, int index)
    {
        var field = $"spec.containers[{index}]";
        var unused = Kubelets.Where(name => !container.At(name).IsUnset() && !IsOwnImage(name, container)).ToList();
        if (unused.Count > 0)
        {
            yield return $"{field}.{string.Join(", .", unused)}: stored, and not used: Mesh starts no containers, the Pod stands for a process that runs already";
        }

        foreach (var action in new[] { "exec", "grpc" })
        {
            if (container.At("readinessProbe", action) is not null)
            {
                yield return $"{field}.readinessProbe.{action} {NotServed.Words}: the Pod is ready while its ports accept";
            }
        }

        if (index > 0 && container.At("readinessProbe") is not null)
        {
            yield return $"{field}.readinessProbe {NotServed.Words}: only the first container's is";
        }
    }
}
