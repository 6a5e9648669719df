using Mesh.Core.Names;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Ingresses;

/// <summary>The IngressClasses whose Ingresses Mesh routes, beside its own name.</summary>
internal static class IngressClasses
{
    public static bool IsOurs(StoredObject stored) => StoredFields.Text(stored.Document, "spec", "controller") == MeshIngressClass.Controller;

    public static bool IsOurs(IWatchCache cache, string name) =>
        cache.Get(new ObjectKey(Kinds.NetworkingGroup, "IngressClass", "", name)) is { } stored && IsOurs(stored);
}
