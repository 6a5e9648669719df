using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>What of a Service is stored and not served in this version, and what Kubernetes warns of (pkg/api/service/warnings.go).</summary>
internal static class ServiceWarnings
{
    private static readonly string[] LoadBalancers = ["loadBalancerSourceRanges", "healthCheckNodePort"];

    public static IEnumerable<string> For(JsonObject document)
    {
        var spec = document.At("spec");
        var type = spec.At("type").AsText();
        return Unserved(spec, type).Concat(UnservedPorts(spec)).Concat(Senseless(spec, type)).Concat(ForeignAnnotationWarnings.For(document));
    }

    private static IEnumerable<string> Unserved(JsonNode? spec, string? type)
    {
        if (type == "LoadBalancer" && spec.At("loadBalancerClass").AsText() is { } named && !MeshLoadBalancerClass.IsOurs(named))
        {
            yield return $"spec.loadBalancerClass: {named} is another controller's, so Mesh gives the Service no address; its own class is {MeshLoadBalancerClass.Name}";
        }

        foreach (var field in LoadBalancers)
        {
            if (spec.At(field) is { } value && !value.IsUnset() && value.AsNumber() is not 0)
            {
                yield return $"spec.{field} {NotServed.Words}";
            }
        }

        if (spec.At("sessionAffinity").AsText() == "ClientIP")
        {
            yield return $"spec.sessionAffinity: ClientIP {NotServed.Words}: connections are spread over all endpoints";
        }

        if (!spec.At("externalIPs").IsUnset())
        {
            yield return $"spec.externalIPs {NotServed.Words}";
        }

        foreach (var policy in new[] { "internalTrafficPolicy", "externalTrafficPolicy" })
        {
            if (spec.At(policy).AsText() == "Local")
            {
                yield return $"spec.{policy}: Local {NotServed.Words}: endpoints of every node are used";
            }
        }

        if (!spec.At("trafficDistribution").IsUnset())
        {
            yield return $"spec.trafficDistribution {NotServed.Words}";
        }

        if (type != "ExternalName" && spec.At("selector").IsUnset())
        {
            yield return "spec.selector: a Service without selector has no endpoints in this version, as EndpointSlices cannot be written";
        }
    }

    private static IEnumerable<string> UnservedPorts(JsonNode? spec)
    {
        // Nobody stands between a client and the Pods of a headless Service: DNS names their ports, whatever they speak.
        var isProxied = spec.At("clusterIP").AsText() != "None" && spec.At("type").AsText() != "ExternalName";
        foreach (var (port, index) in spec.At("ports").AsList().Select((port, index) => (port, index)))
        {
            if (isProxied && port.At("protocol").AsText() is { } protocol and not "TCP")
            {
                yield return $"spec.ports[{index}].protocol: {protocol} {NotServed.Words}: only TCP is";
            }
        }
    }

    private static IEnumerable<string> Senseless(JsonNode? spec, string? type)
    {
        var isHeadless = spec.At("clusterIP").AsText() == "None";
        if (isHeadless && !spec.At("loadBalancerIP").IsUnset())
        {
            yield return "spec.loadBalancerIP is ignored for headless services";
        }

        if (isHeadless && !spec.At("externalIPs").IsUnset())
        {
            yield return "spec.externalIPs is ignored for headless services";
        }

        if (isHeadless && spec.At("sessionAffinity").AsText() == "ClientIP")
        {
            yield return "spec.SessionAffinity is ignored for headless services";
        }

        if (type != "ExternalName" && !spec.At("externalName").IsUnset())
        {
            yield return "spec.externalName is ignored when spec.type is not \"ExternalName\"";
        }

        if (type == "ExternalName" && !spec.At("externalIPs").IsUnset())
        {
            yield return "spec.externalIPs is ignored when spec.type is \"ExternalName\"";
        }
    }
}
