using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Ingresses;

/// <summary>Reads an admitted Ingress document.</summary>
public static class IngressParser
{
    /// <exception cref="FormatException">The document is not an admitted Ingress.</exception>
    public static Ingress Parse(ReadOnlyMemory<byte> document, long createdVersion) =>
        JsonFields.Read(document, "Ingress", root => Read(root, createdVersion));

    private static Ingress Read(JsonElement root, long createdVersion)
    {
        var meta = ObjectMeta.Of(root);
        var spec = root.Child("spec");
        return new Ingress
        {
            Name = meta.Name,
            Uid = meta.Uid,
            ResourceVersion = meta.ResourceVersion,
            CreatedVersion = createdVersion,
            ClassName = meta.Annotation(MeshAnnotations.LegacyIngressClass) ?? spec.Text("ingressClassName"),
            Restrictions = [.. Restrictions(meta.Metadata.Child("annotations"))],
            RoutesUnprotected = meta.Annotation(MeshAnnotations.RouteUnprotected) == "true",
            DefaultBackend = Backend(spec.Child("defaultBackend"), meta.Name),
            Rules = [.. spec.Items("rules").Select(rule => Rule(rule, meta.Name))],
            Tls = [.. spec.Items("tls").Select(tls => Tls(tls, meta.Name))],
            RedirectsToHttps = meta.Annotation(MeshAnnotations.SslRedirect) == "true",
        };
    }

    private static IEnumerable<string> Restrictions(JsonElement annotations) =>
        annotations.ValueKind != JsonValueKind.Object
            ? []
            : annotations.EnumerateObject()
                .Where(pair => pair.Value.ValueKind == JsonValueKind.String && ForeignAnnotations.RestrictsAccess(pair.Name, pair.Value.GetString()))
                .Select(pair => pair.Name)
                .Order(StringComparer.Ordinal);

    private static IngressRule Rule(JsonElement rule, NamespacedName ingress) => new(
        rule.Text("host") ?? "",
        [
            .. rule.Child("http").Items("paths").Select(path =>
                new IngressPath(path.Text("path") ?? "", Type(path), Backend(path.Child("backend"), ingress))),
        ]);

    private static IngressTls Tls(JsonElement tls, NamespacedName ingress) => new(
        [.. tls.Items("hosts").Select(host => host.GetString() ?? "")],
        tls.Text("secretName") is { Length: > 0 } secret ? NamespacedName.Of(ingress.Namespace, secret) : null);

    private static PathType Type(JsonElement path) => path.Text("pathType") switch
    {
        "Exact" => PathType.Exact,
        "Prefix" => PathType.Prefix,
        null or "ImplementationSpecific" => PathType.ImplementationSpecific,
        var other => throw new FormatException($"'pathType' is not Exact, Prefix or ImplementationSpecific: '{other}'."),
    };

    /// <summary>Null when absent, and for a resource backend: no kind of resource is served, so its rule refuses.</summary>
    private static IngressBackend? Backend(JsonElement backend, NamespacedName ingress)
    {
        var service = backend.Child("service");
        if (service.ValueKind == JsonValueKind.Undefined)
        {
            return null;
        }

        var name = NamespacedName.Of(ingress.Namespace, service.RequiredText("name"));
        var port = service.Child("port");
        return port.Text("name") is { Length: > 0 } portName
            ? new IngressBackend(name, 0, portName)
            : new IngressBackend(name, ServiceParser.PortNumber(port, "number"), null);
    }
}
