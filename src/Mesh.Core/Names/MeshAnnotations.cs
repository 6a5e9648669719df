namespace Mesh.Core.Names;

/// <summary>The annotations, and their values, that Mesh reads or writes.</summary>
public static class MeshAnnotations
{
    /// <summary>Of all annotations that are Mesh's own.</summary>
    public const string Prefix = "mesh.internal/";

    /// <summary>Address of a Pod applied as a manifest, whose process runs already.</summary>
    public const string PodIP = "mesh.internal/pod-ip";

    /// <summary>How the Pod came to be; <see cref="RegisteredByStream"/> or absent.</summary>
    public const string RegisteredBy = "mesh.internal/registered-by";

    public const string RegisteredByStream = "stream";

    /// <summary>Why a registered Pod is not ready, or only just: the one of these that a registration may set.</summary>
    public const string Readiness = "mesh.internal/readiness";

    /// <summary>The class of an Ingress as it was named before <c>spec.ingressClassName</c>.</summary>
    public const string LegacyIngressClass = "kubernetes.io/ingress.class";

    /// <summary>On an Ingress, "true": route it though it asks for protection that the gateway does not give.</summary>
    public const string RouteUnprotected = "mesh.internal/route-unprotected";

    /// <summary>On an Ingress, "true": requests in plain HTTP are answered with the same in HTTPS (308).</summary>
    public const string SslRedirect = "mesh.internal/ssl-redirect";
}
