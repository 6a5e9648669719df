using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Ingresses;

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
            yield return $"metadata.annotations[{name}] {NotServed.Words}";
        }

        if (foreign.Count > MostNamed)
        {
            yield return $"metadata.annotations: and {foreign.Count - MostNamed} more of other controllers: each {NotServed.Words}";
        }
    }

    private static IEnumerable<string> Names(JsonObject document) =>
        (document.At("metadata", "annotations") as JsonObject)?.Select(pair => pair.Key) ?? [];
}
