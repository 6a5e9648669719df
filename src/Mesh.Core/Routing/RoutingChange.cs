using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>One thing that the control plane tells a node: what the link carries and the journal keeps.</summary>
public abstract record RoutingChange
{
    private RoutingChange()
    {
    }

    /// <summary>The frontend, and with it the endpoints computed from the same spec when they are known.</summary>
    public sealed record ServiceSpec(ObjectDocument Object, EndpointsChange? Endpoints) : RoutingChange;

    public sealed record ServiceEndpoints(NamespacedName Service, EndpointsChange Endpoints) : RoutingChange;

    public sealed record ServiceRemoved(NamespacedName Service, string Uid) : RoutingChange;

    public sealed record IngressSpec(ObjectDocument Object) : RoutingChange;

    public sealed record IngressRemoved(NamespacedName Ingress, string Uid) : RoutingChange;

    /// <summary>An IngressClass whose controller is Mesh's appeared, or is not there (any more): Ingresses of its name are routed, or not.</summary>
    public sealed record IngressClass(string Name, bool IsOurs) : RoutingChange;

    /// <summary>
    /// The certificate and key, as PEM, of a Secret that a routed Ingress names in <c>spec.tls</c>, and nothing else of the
    /// Secret. A node is told no other Secrets.
    /// </summary>
    public sealed record Certificate(ObjectDocument Object) : RoutingChange;

    /// <summary>
    /// The Secret is gone, cannot be shown, or is not named any more. Whichever object of that name was told: of two that
    /// followed each other quickly, the second may have ended before it was told.
    /// </summary>
    public sealed record CertificateRemoved(NamespacedName Secret) : RoutingChange;

    /// <summary>Of the cluster's own authority, with its key, as PEM: for names without another.</summary>
    public sealed record DefaultCertificate(ReadOnlyMemory<byte> Pem) : RoutingChange;

    /// <summary>A Pod of this node: a manifest to probe, labels changed, a deletion asked for. Not routed by; for the Agent.</summary>
    public sealed record PodSpec(ObjectDocument Object) : RoutingChange;

    public sealed record PodRemoved(NamespacedName Pod, string Uid) : RoutingChange;

    public sealed record NamespaceExists(string Name, bool Exists) : RoutingChange;

    /// <summary>The node's Ready condition turned Unknown, or back: its endpoints rank last.</summary>
    public sealed record NodeSilent(string Node, bool IsSilent) : RoutingChange;
}

/// <summary>An object as stored.</summary>
public sealed record ObjectDocument(NamespacedName Name, string Uid, long ResourceVersion, long CreatedVersion, ReadOnlyMemory<byte> Document);
