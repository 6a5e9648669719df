using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>Finds what nobody needs any more: objects whose owners are all gone, and Events older than an hour.</summary>
internal static class Garbage
{
    public static readonly TimeSpan EventsLive = TimeSpan.FromHours(1);

    /// <summary>Kinds that the ApiServer or a grain gives owners; the grains' own kinds end through their grains.</summary>
    private static readonly (string Group, string Kind)[] Owned =
        [(Kinds.DiscoveryGroup, "EndpointSlice"), ("", "Endpoints"), ("", "ConfigMap"), ("", "Secret")];

    /// <summary>Objects of one namespace, or of all, that have owners none of which exists.</summary>
    public static IEnumerable<StoredObject> Orphans(IWatchCache cache, string? ns) =>
        Owned.SelectMany(kind => cache.List(kind.Group, kind.Kind, ns).Items).Where(stored => IsOrphan(stored, cache));

    public static IEnumerable<StoredObject> OldEvents(IWatchCache cache, DateTimeOffset now) =>
        cache.List("", "Event", null).Items.Where(stored => LastSeen(stored) is { } seen && now - seen >= EventsLive);

    private static bool IsOrphan(StoredObject stored, IWatchCache cache) =>
        stored.Document.Span.IndexOf("\"ownerReferences\""u8) >= 0
        && StoredFields.Node(stored.Document, "metadata", "ownerReferences") is JsonArray { Count: > 0 } owners
        && owners.All(owner => IsGone(owner, stored.Key.Namespace, cache));

    private static bool IsGone(JsonNode? owner, string ns, IWatchCache cache)
    {
        var version = (string?)owner?["apiVersion"] ?? "";
        var group = version.Contains('/', StringComparison.Ordinal) ? version[..version.IndexOf('/', StringComparison.Ordinal)] : "";
        var (kind, name) = ((string?)owner?["kind"] ?? "", (string?)owner?["name"] ?? "");
        var known = cache.Get(new ObjectKey(group, kind, ns, name)) ?? cache.Get(new ObjectKey(group, kind, "", name));
        return known is null || known.Uid != (string?)owner?["uid"];
    }

    private static DateTimeOffset? LastSeen(StoredObject stored)
    {
        foreach (var path in new string[][] { ["lastTimestamp"], ["eventTime"], ["metadata", "creationTimestamp"] })
        {
            var text = StoredFields.Text(stored.Document, path);
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var seen))
            {
                return seen;
            }
        }

        return null;
    }
}
