using System.Text.Json.Nodes;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>Services of type LoadBalancer, as stored.</summary>
internal static class Balancers
{
    public static bool IsBalancer(StoredObject service) => service.Field("spec.type") == "LoadBalancer";

    /// <summary>It has no address, or not all its ports there.</summary>
    public static bool IsWaiting(StoredObject service) =>
        IsBalancer(service)
        && (StoredFields.Node(service.Document, "status", "loadBalancer", "ingress") is not JsonArray { Count: > 0 } shown
            || (shown[0] as JsonObject)?["ports"] is not null);
}
