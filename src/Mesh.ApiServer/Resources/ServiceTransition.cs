using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Resources;

/// <summary>
/// What an update does to fields that the client did not touch: what was allocated stays, and what the new type cannot have
/// goes. What the client did change stays as asked, for validation to judge
/// (kubernetes registry/core/service: patchAllocatedValues, normalizeClusterIPs, dropTypeDependentFields).
/// </summary>
internal static class ServiceTransition
{
    public static void Apply(JsonObject stored, JsonObject next)
    {
        var before = stored.Child("spec");
        var spec = next.Child("spec");
        KeepAllocated(before, spec);
        NormalizeClusterIPs(before, spec);
        DropAddresses(before, spec);
        DropPorts(before, spec);
        DropBalancer(before, spec);
        if (TypeOf(spec) != "LoadBalancer" && !next.At("status", "loadBalancer").IsUnset())
        {
            next.Child("status")["loadBalancer"] = new JsonObject();
        }
    }

    /// <summary>A manifest that is applied again names neither the address nor the node ports that it was given.</summary>
    private static void KeepAllocated(JsonObject before, JsonObject spec)
    {
        if (HasAddress(before) && HasAddress(spec))
        {
            if (spec.At("clusterIP").IsUnset())
            {
                spec.CopyFrom(before, "clusterIP");
            }

            if (spec.At("clusterIPs").IsUnset() && IsSame(before, spec, "clusterIP"))
            {
                spec.CopyFrom(before, "clusterIPs");
            }
        }

        // Where none are to be allocated, a node port that was left out was taken away.
        if (HasNodePorts(before) && HasNodePorts(spec) && AllocatesNodePorts(spec))
        {
            KeepNodePorts(before.At("ports"), spec.At("ports"));
        }

        if (HasHealthPort(before) && HasHealthPort(spec) && spec.At("healthCheckNodePort").AsNumber() is null or 0)
        {
            spec.CopyFrom(before, "healthCheckNodePort");
        }
    }

    /// <summary>By the ports' names; a number that another port took over is not given twice.</summary>
    private static void KeepNodePorts(JsonNode? before, JsonNode? next)
    {
        var taken = NodePorts(next);
        foreach (var port in next.AsList().OfType<JsonObject>().Where(port => port.At("nodePort").AsNumber() is null or 0))
        {
            var same = before.AsList().LastOrDefault(old => (old.At("name").AsText() ?? "") == (port.At("name").AsText() ?? ""));
            if (same.At("nodePort").AsNumber() is not (null or 0) and { } number && taken.Add(number))
            {
                port["nodePort"] = number;
            }
        }
    }

    /// <summary>The two fields are one: whoever changed only the singular meant both.</summary>
    private static void NormalizeClusterIPs(JsonObject before, JsonObject spec)
    {
        if (spec.At("clusterIPs").IsUnset() && IsSame(before, spec, "clusterIP"))
        {
            spec.CopyFrom(before, "clusterIPs");
        }
        else if (!IsSame(before, spec, "clusterIP") && IsSame(before, spec, "clusterIPs"))
        {
            var changed = spec.At("clusterIP");
            spec.Remove("clusterIPs");
            if (!changed.IsUnset())
            {
                spec["clusterIPs"] = new JsonArray(changed!.DeepClone());
            }
        }
    }

    private static void DropAddresses(JsonObject before, JsonObject spec)
    {
        if (HasAddress(before) && !HasAddress(spec))
        {
            if (IsSame(before, spec, "clusterIP") && IsSame(before, spec, "clusterIPs"))
            {
                spec.Remove("clusterIP");
                spec.Remove("clusterIPs");
            }

            DropSame(before, spec, "ipFamilies");
            DropSame(before, spec, "ipFamilyPolicy");
        }

        if (IsExternal(before) && !IsExternal(spec))
        {
            DropSame(before, spec, "externalTrafficPolicy");
        }
    }

    private static void DropPorts(JsonObject before, JsonObject spec)
    {
        // Ports may come and go with the change of type, as long as no node port is new.
        if (HasNodePorts(before) && !HasNodePorts(spec) && NodePorts(before.At("ports")).IsSupersetOf(NodePorts(spec.At("ports"))))
        {
            foreach (var port in spec.At("ports").AsList().OfType<JsonObject>())
            {
                port.Remove("nodePort");
            }
        }

        if (HasHealthPort(before) && !HasHealthPort(spec))
        {
            DropSame(before, spec, "healthCheckNodePort");
        }
    }

    private static void DropBalancer(JsonObject before, JsonObject spec)
    {
        if (TypeOf(before) == "LoadBalancer" && TypeOf(spec) != "LoadBalancer")
        {
            DropSame(before, spec, "allocateLoadBalancerNodePorts");
            DropSame(before, spec, "loadBalancerClass");
        }
    }

    private static void DropSame(JsonObject before, JsonObject spec, string field)
    {
        if (IsSame(before, spec, field))
        {
            spec.Remove(field);
        }
    }

    private static bool IsSame(JsonObject before, JsonObject spec, string field) =>
        before.At(field).IsUnset() ? spec.At(field).IsUnset() : JsonNode.DeepEquals(before.At(field), spec.At(field));

    private static HashSet<long> NodePorts(JsonNode? ports) =>
        [.. ports.AsList().Select(port => port.At("nodePort").AsNumber()).OfType<long>().Where(number => number != 0)];

    private static string TypeOf(JsonObject spec) => spec.At("type").AsText() is { Length: > 0 } type ? type : "ClusterIP";

    private static bool HasAddress(JsonObject spec) => TypeOf(spec) is "ClusterIP" or "NodePort" or "LoadBalancer";

    private static bool HasNodePorts(JsonObject spec) => TypeOf(spec) is "NodePort" or "LoadBalancer";

    private static bool AllocatesNodePorts(JsonObject spec) =>
        TypeOf(spec) == "NodePort" || spec.At("allocateLoadBalancerNodePorts") is not { } asked || asked.AsBoolean();

    private static bool HasHealthPort(JsonObject spec) =>
        TypeOf(spec) == "LoadBalancer" && spec.At("externalTrafficPolicy").AsText() == "Local";

    private static bool IsExternal(JsonObject spec) =>
        TypeOf(spec) is "NodePort" or "LoadBalancer" || (TypeOf(spec) == "ClusterIP" && !spec.At("externalIPs").IsUnset());
}
