namespace Mesh.Core.Names;

/// <summary>
/// The class of load balancers that Mesh is. A Service that names none is Mesh's too; one that names another is somebody
/// else's, and is left without an address (core/v1 ServiceSpec.loadBalancerClass).
/// </summary>
public static class MeshLoadBalancerClass
{
    public const string Name = "mesh.internal/load-balancer";

    public static bool IsOurs(string? named) => string.IsNullOrEmpty(named) || named == Name;
}
