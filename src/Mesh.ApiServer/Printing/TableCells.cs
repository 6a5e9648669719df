using System.Text.Json;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Printing;

/// <summary>Cells that several kinds share (kubernetes pkg/printers/internalversion/printers.go).</summary>
internal static class TableCells
{
    public const string None = "<none>";

    public static string Age(JsonElement document, DateTimeOffset now) =>
        HumanDuration.Since(document.At("metadata", "creationTimestamp").Time(), now);

    /// <summary>The first three, then how many more.</summary>
    public static string FirstThree(IReadOnlyCollection<string> items, string otherwise)
    {
        var shown = string.Join(",", items.Take(3));
        return items.Count switch
        {
            0 => otherwise,
            > 3 => $"{shown} + {items.Count - 3} more...",
            _ => shown,
        };
    }

    public static string Labels(JsonElement map) =>
        map.Members().Select(pair => $"{pair.Name}={pair.Value.Text()}").Order(StringComparer.Ordinal).ToList() is { Count: > 0 } pairs
            ? string.Join(",", pairs)
            : None;

    /// <summary>Addresses of <c>status.loadBalancer.ingress</c>, sorted, each once.</summary>
    public static IReadOnlyList<string> LoadBalancer(JsonElement document) =>
    [
        .. document.At("status", "loadBalancer", "ingress").Items()
            .Select(ingress => ingress.At("ip").TextOr(ingress.At("hostname").Text()))
            .Where(address => address.Length > 0)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];
}
