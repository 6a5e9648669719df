using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>
/// Which Ingresses are routed. The rule is asked whenever an Ingress is read, by the node that routes and by the grain that
/// tells of it, so that one which was stored before the rule existed follows it too.
/// </summary>
public static class IngressAcceptance
{
    /// <summary>Why nothing of the Ingress is routed; null when it is.</summary>
    /// <param name="isOurClass">Whether an IngressClass of the name exists whose controller is Mesh's.</param>
    public static NotRouted? WhyNot(Ingress ingress, Func<string, bool> isOurClass)
    {
        if (!IsMeshs(ingress.ClassName) && !isOurClass(ingress.ClassName!))
        {
            return new NotRouted("OtherClass", OtherClass(ingress.ClassName!));
        }

        if (!ingress.Restrictions.IsEmpty && !ingress.RoutesUnprotected)
        {
            return new NotRouted("AccessNotEnforced", AccessNotEnforced(ingress));
        }

        return null;
    }

    /// <summary>Mesh's own class, which is also the one of an Ingress that names none.</summary>
    public static bool IsMeshs(string? className) => string.IsNullOrEmpty(className) || className == MeshIngressClass.Name;

    private static string OtherClass(string className) =>
        $"not routed: it is of class {className}, and there is no IngressClass {className} whose controller is {MeshIngressClass.Controller}; "
        + $"with spec.ingressClassName {MeshIngressClass.Name}, or none, it is routed";

    private static string AccessNotEnforced(Ingress ingress)
    {
        var (name, more) = (ingress.Name, ingress.Restrictions.Length - 1);
        var others = more == 0 ? "" : $" (and {more} more annotation{(more == 1 ? "" : "s")})";
        return $"not routed: {ingress.Restrictions[0]}{others} asks that not everybody be let in, which is not enforced in this version; "
            + $"to route it all the same: kubectl annotate -n {name.Namespace} ingress {name.Name} {MeshAnnotations.RouteUnprotected}=true";
    }
}

/// <param name="Reason">One CamelCase word, the reason of the Ingress's Event.</param>
public sealed record NotRouted(string Reason, string Message);
