namespace Mesh.Core.Names;

/// <summary>The IngressClass that Mesh makes at its start, and what says that a class is Mesh's or the default one.</summary>
public static class MeshIngressClass
{
    public const string Name = "mesh";

    /// <summary><c>spec.controller</c> of each class whose Ingresses Mesh serves.</summary>
    public const string Controller = "mesh.internal/ingress";

    /// <summary>
    /// With the value <c>true</c> other tools read a class as the default one. Mesh itself never asks: an Ingress that names no
    /// class is routed whichever class has it.
    /// </summary>
    public const string IsDefaultAnnotation = "ingressclass.kubernetes.io/is-default-class";
}
