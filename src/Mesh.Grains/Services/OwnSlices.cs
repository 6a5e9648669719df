using System.Text.Json;
using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>The EndpointSlices of one Service that Mesh writes, told from others' by the managed-by label.</summary>
internal static class OwnSlices
{
    public const string ServiceLabel = "kubernetes.io/service-name";
    public const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";
    public const string ManagedBy = "endpointslice-controller.k8s.io";

    public static IEnumerable<StoredObject> Of(IWatchCache cache, NamespacedName service) =>
        cache.ListNamed(Kinds.DiscoveryGroup, "EndpointSlice", service.Namespace, service.Name + "-")
            .Where(slice => IsOwn(slice.Document, service.Name));

    private static bool IsOwn(ReadOnlyMemory<byte> document, string service)
    {
        using var parsed = JsonDocument.Parse(document);
        return parsed.RootElement.TryGetProperty("metadata", out var metadata)
            && metadata.TryGetProperty("labels", out var labels)
            && labels.ValueKind == JsonValueKind.Object
            && labels.TryGetProperty(ServiceLabel, out var named) && named.ValueEquals(service)
            && labels.TryGetProperty(ManagedByLabel, out var manager) && manager.ValueEquals(ManagedBy);
    }
}
