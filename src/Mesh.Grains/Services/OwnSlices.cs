using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>The EndpointSlices of one Service that Mesh writes, told from others' by the managed-by label.</summary>
internal static class OwnSlices
{
    public const string ServiceLabel = "kubernetes.io/service-name";
    public const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";
    public const string ManagedBy = "endpointslice-controller.k8s.io";

    public static IReadOnlyList<StoredObject> Of(IWatchCache cache, NamespacedName service) =>
        cache.Find(Indexes.SlicesByService, service.ToString());

    /// <summary>The one Service of the slice, none when it is somebody else's.</summary>
    public static IEnumerable<string> ServicesOf(StoredObject slice) =>
        slice.Label(ServiceLabel) is { } service && slice.Label(ManagedByLabel) == ManagedBy ? [$"{slice.Key.Namespace}/{service}"] : [];
}
