using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>Annotations by which other Ingress controllers are told what Mesh does not do: each is named, up to a number.</summary>
internal static class ForeignAnnotationWarnings
{
    /// <summary>A chart may carry dozens; the other warnings are to be seen too.</summary>
    private const int MostNamed = 30;

    public static IEnumerable<string> For(JsonObject document)
    {
        var foreign = Names(document).Where(ForeignAnnotations.ChangesTraffic).Order(StringComparer.Ordinal).ToList();
        foreach (var name in foreign.Take(MostNamed))
        {
            yield return $"metadata.annotations[{name}] {NotServed.Words}{Instead(name)}";
        }

        if (foreign.Count > MostNamed)
        {
            yield return $"metadata.annotations: and {foreign.Count - MostNamed} more of other controllers: each {NotServed.Words}";
        }
    }

    /// <summary>The annotation of Mesh that does the same, where there is one.</summary>
    private static string Instead(string name) =>
        name.EndsWith("/ssl-redirect", StringComparison.Ordinal) || name.EndsWith("/force-ssl-redirect", StringComparison.Ordinal) ? $"; {MeshAnnotations.SslRedirect} is" : "";

    private static IEnumerable<string> Names(JsonObject document) =>
        (document.At("metadata", "annotations") as JsonObject)?.Select(pair => pair.Key) ?? [];
}
