using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Resources;

/// <summary>What a Service may leave out (kubernetes pkg/apis/core/v1/defaults.go; registry/core/service/storage).</summary>
internal static class ServiceDefaults
{
    public static void Apply(JsonObject document)
    {
        var spec = document.Child("spec");
        spec.SetDefault("type", "ClusterIP");
        var type = spec.At("type").AsText();
        spec.SetDefault("sessionAffinity", "None");
        DefaultAffinity(spec);
        foreach (var port in spec.At("ports").AsList().OfType<JsonObject>())
        {
            port.SetDefault("protocol", "TCP");
            if ((port.At("targetPort").IsUnset() || port.At("targetPort").AsNumber() == 0) && port.At("port") is { } number)
            {
                port["targetPort"] = number.DeepClone();
            }
        }

        if (type == "ExternalName")
        {
            spec.Remove("internalTrafficPolicy");
            return;
        }

        spec.SetDefault("internalTrafficPolicy", "Cluster");
        if (type is "NodePort" or "LoadBalancer" || (type == "ClusterIP" && !spec.At("externalIPs").IsUnset()))
        {
            spec.SetDefault("externalTrafficPolicy", "Cluster");
        }

        if (type == "LoadBalancer")
        {
            spec.SetDefault("allocateLoadBalancerNodePorts", true);
        }

        if (!spec.At("clusterIP").IsUnset())
        {
            spec.SetDefault("clusterIPs", new JsonArray(spec.At("clusterIP")!.DeepClone()));
        }

        // One address family: the Service CIDR is IPv4.
        spec.SetDefault("ipFamilyPolicy", "SingleStack");
        spec.SetDefault("ipFamilies", new JsonArray("IPv4"));
    }

    private static void DefaultAffinity(JsonObject spec)
    {
        if (spec.At("sessionAffinity").AsText() == "None")
        {
            spec.Remove("sessionAffinityConfig");
        }
        else if (spec.At("sessionAffinity").AsText() == "ClientIP")
        {
            var clientIP = spec.Child("sessionAffinityConfig").Child("clientIP");
            if (clientIP.At("timeoutSeconds") is null)
            {
                clientIP["timeoutSeconds"] = 10800;
            }
        }
    }
}
