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

    /// <summary>
    /// A manifest that is applied again does not name the address and node ports that were allocated; they stay
    /// (storage.go, patchAllocatedValues). Node ports are told apart by the port's name, number and protocol.
    /// </summary>
    public static void KeepAllocated(JsonObject stored, JsonObject next)
    {
        var before = stored.At("spec");
        var spec = next.Child("spec");
        var type = spec.At("type").AsText() ?? "ClusterIP";
        if (type == "ExternalName" || before.At("type").AsText() == "ExternalName")
        {
            return;
        }

        if (spec.At("clusterIP").IsUnset() && spec.At("clusterIPs").IsUnset())
        {
            spec.CopyFrom(before, "clusterIP");
            spec.CopyFrom(before, "clusterIPs");
        }

        if (type is "NodePort" or "LoadBalancer")
        {
            KeepNodePorts(before.At("ports"), spec.At("ports"));
        }
    }

    private static void KeepNodePorts(JsonNode? before, JsonNode? next)
    {
        foreach (var port in next.AsList().OfType<JsonObject>().Where(port => port.At("nodePort").AsNumber() is null or 0))
        {
            var same = before.AsList().FirstOrDefault(old =>
                old.At("name").AsText() == port.At("name").AsText()
                && (old.At("protocol").AsText() ?? "TCP") == (port.At("protocol").AsText() ?? "TCP")
                && old.At("port").AsNumber() == port.At("port").AsNumber());
            port.CopyFrom(same, "nodePort");
        }
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
