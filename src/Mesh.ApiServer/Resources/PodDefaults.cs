using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Resources;

/// <summary>What a Pod may leave out (kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_PodSpec and below).</summary>
internal static class PodDefaults
{
    public static void Apply(JsonObject document)
    {
        var spec = document.Child("spec");
        spec.SetDefault("restartPolicy", "Always");
        spec.SetDefault("dnsPolicy", "ClusterFirst");
        spec.SetDefault("schedulerName", "default-scheduler");
        if (spec.At("terminationGracePeriodSeconds") is null)
        {
            spec["terminationGracePeriodSeconds"] = 30;
        }

        if (spec.At("enableServiceLinks") is null)
        {
            spec["enableServiceLinks"] = true;
        }

        if (spec.At("securityContext") is null)
        {
            spec["securityContext"] = new JsonObject();
        }

        foreach (var list in new[] { "containers", "initContainers" })
        {
            foreach (var container in spec.At(list).AsList().OfType<JsonObject>())
            {
                DefaultContainer(container);
            }
        }
    }

    /// <summary>The node that a Pod was given stays when a manifest without it is applied again.</summary>
    public static void KeepAssigned(JsonObject stored, JsonObject next)
    {
        if (next.At("spec", "nodeName").IsUnset())
        {
            next.Child("spec").CopyFrom(stored.At("spec"), "nodeName");
        }
    }

    private static void DefaultContainer(JsonObject container)
    {
        container.SetDefault("terminationMessagePath", "/dev/termination-log");
        container.SetDefault("terminationMessagePolicy", "File");
        if (container.At("resources") is null)
        {
            container["resources"] = new JsonObject();
        }

        if (container.At("image").AsText() is { Length: > 0 } image)
        {
            var tag = image[(image.LastIndexOf('/') + 1)..];
            var isLatest = !tag.Contains('@', StringComparison.Ordinal)
                && (!tag.Contains(':', StringComparison.Ordinal) || tag.EndsWith(":latest", StringComparison.Ordinal));
            container.SetDefault("imagePullPolicy", isLatest ? "Always" : "IfNotPresent");
        }

        foreach (var port in container.At("ports").AsList().OfType<JsonObject>())
        {
            port.SetDefault("protocol", "TCP");
        }

        foreach (var name in new[] { "readinessProbe", "livenessProbe", "startupProbe" })
        {
            if (container.At(name) is JsonObject probe)
            {
                DefaultProbe(probe);
            }
        }
    }

    private static void DefaultProbe(JsonObject probe)
    {
        foreach (var (field, value) in new[] { ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3) })
        {
            if (probe.At(field).AsNumber() is null or 0)
            {
                probe[field] = value;
            }
        }

        if (probe.At("httpGet") is JsonObject http)
        {
            http.SetDefault("path", "/");
            http.SetDefault("scheme", "HTTP");
        }
    }
}
