using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>What of an Ingress is stored and not served in this version, or means something else than its writer may think.</summary>
internal static class IngressWarnings
{
    // Characters that no path needs and every regular expression has; a dollar only at the end, as paths begin segments with it.
    private static readonly System.Buffers.SearchValues<char> Patterns = System.Buffers.SearchValues.Create(@"()[]{}^|\*?");

    public static IEnumerable<string> For(JsonObject document) =>
        [.. Access(document), .. Fields(document), .. Paths(document.At("spec")), .. ForeignAnnotationWarnings.For(document)];

    /// <summary>First, as it decides whether anything is served at all.</summary>
    private static IEnumerable<string> Access(JsonObject document)
    {
        var annotations = (document.At("metadata", "annotations") as JsonObject)?.ToList() ?? [];
        var asking = annotations.Find(pair => ForeignAnnotations.RestrictsAccess(pair.Key, pair.Value.AsText())).Key;
        if (asking is not null)
        {
            yield return document.At("metadata", "annotations", MeshAnnotations.RouteUnprotected).AsText() == "true"
                ? $"this Ingress is routed to everybody, as {MeshAnnotations.RouteUnprotected} says: {asking} is not enforced in this version"
                : $"this Ingress is not routed: {asking} is not enforced in this version; annotation {MeshAnnotations.RouteUnprotected}: \"true\" routes it without";
        }
    }

    private static IEnumerable<string> Fields(JsonObject document)
    {
        var ownClass = document.At("spec", "ingressClassName").AsText();
        var legacyClass = document.At("metadata", "annotations", MeshAnnotations.LegacyIngressClass).AsText();
        if (!IngressAcceptance.IsMeshs(legacyClass ?? ownClass))
        {
            var field = legacyClass is null ? "spec.ingressClassName" : $"metadata.annotations[{MeshAnnotations.LegacyIngressClass}]";
            yield return $"{field}: {legacyClass ?? ownClass} is not Mesh's class: this Ingress is routed only while an IngressClass of that name has the controller {MeshIngressClass.Controller}";
        }

        foreach (var (path, backend) in IngressValidation.Backends(document.At("spec")))
        {
            if (!backend.At("resource").IsUnset())
            {
                yield return $"{path}.resource {NotServed.Words}: only Services are";
            }
        }
    }

    private static IEnumerable<string> Paths(JsonNode? spec)
    {
        foreach (var (rule, i) in spec.At("rules").AsList().Select((rule, i) => (rule, i)))
        {
            foreach (var (entry, j) in rule.At("http", "paths").AsList().Select((entry, j) => (entry, j)))
            {
                var path = entry.At("path").AsText() ?? "";
                var field = $"spec.rules[{i}].http.paths[{j}].path";
                if (path.EndsWith("/*", StringComparison.Ordinal) && !path.AsSpan(0, path.Length - 1).ContainsAny(Patterns))
                {
                    yield return $"{field} ends in /* and is matched literally: pathType Prefix with \"{Above(path)}\" matches everything below";
                }
                else if (path.AsSpan().ContainsAny(Patterns) || path.EndsWith('$') || path.Contains(".+", StringComparison.Ordinal))
                {
                    yield return $"{field} looks like a regular expression and is matched literally, character by character: {path}";
                }
            }
        }
    }

    private static string Above(string path) => path.Length > 2 ? path[..^2] : "/";
}
