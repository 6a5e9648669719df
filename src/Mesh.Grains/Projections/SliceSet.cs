using System.Text.Json;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Storage;

namespace Mesh.Grains.Projections;

/// <summary>A slice as it stands or as it is wanted: its endpoints share one set of ports.</summary>
internal sealed record Slice(StoredObject? Stored, string PortKey, List<EndpointRow> Rows)
{
    public bool IsChanged { get; set; } = Stored is null;
}

/// <summary>
/// Spreads endpoints over slices of at most 100, as the EndpointSlice controller does: an endpoint stays where it is,
/// changed slices are filled first, and shrinking moves nothing.
/// </summary>
internal static class SliceSet
{
    public const int Capacity = 100;

    /// <summary>The wanted slices, and the stored ones that go.</summary>
    public static (IReadOnlyList<Slice> Wanted, IReadOnlyList<StoredObject> Obsolete) Plan(Mirrored mirrored, IReadOnlyList<StoredObject> stored)
    {
        var left = mirrored.Rows.ToDictionary(row => row.PodName, StringComparer.Ordinal);
        var wanted = stored.Select(slice => Stay(slice, mirrored, left)).OfType<Slice>().ToList();
        foreach (var group in left.Values.GroupBy(Mirrored.PortKey).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Place(group.Key, new Queue<EndpointRow>(group.OrderBy(row => row.PodName, StringComparer.Ordinal)), wanted);
        }

        wanted.RemoveAll(slice => slice.Rows.Count == 0);
        if (wanted.Count == 0)
        {
            // Nothing selected: one placeholder tells that the Service was looked at.
            wanted.Add(new Slice(stored.FirstOrDefault(slice => OwnerUid(slice) == mirrored.Service.Uid), "", []));
        }

        var kept = wanted.Select(slice => slice.Stored?.Key).ToHashSet();
        return (wanted, [.. stored.Where(slice => !kept.Contains(slice.Key))]);
    }

    /// <summary>What of a stored slice stays in it; null when it belonged to another Service object of this name.</summary>
    private static Slice? Stay(StoredObject stored, Mirrored mirrored, Dictionary<string, EndpointRow> left)
    {
        if (OwnerUid(stored) != mirrored.Service.Uid)
        {
            return null;
        }

        using var document = JsonDocument.Parse(stored.Document);
        var names = PodNames(document.RootElement);
        var portKey = names.Where(left.ContainsKey).Select(name => Mirrored.PortKey(left[name])).FirstOrDefault() ?? "";
        var slice = new Slice(stored, portKey, []);
        foreach (var name in names)
        {
            if (slice.Rows.Count < Capacity && left.TryGetValue(name, out var row) && Mirrored.PortKey(row) == portKey)
            {
                slice.Rows.Add(row);
                left.Remove(name);
            }
            else
            {
                slice.IsChanged = true;
            }
        }

        return slice;
    }

    private static void Place(string portKey, Queue<EndpointRow> rows, List<Slice> slices)
    {
        var same = slices.Where(slice => slice.Rows.Count > 0 && slice.PortKey == portKey).ToArray();
        foreach (var slice in same.Where(slice => slice.IsChanged).OrderByDescending(slice => slice.Rows.Count))
        {
            Fill(slice, rows);
        }

        if (rows.Count > 0 && same.Where(slice => !slice.IsChanged && slice.Rows.Count + rows.Count <= Capacity).MaxBy(slice => slice.Rows.Count) is { } fitting)
        {
            Fill(fitting, rows);
        }

        while (rows.Count > 0)
        {
            // A slice that lost all its endpoints is used again before a new one is made.
            var empty = slices.Find(slice => slice.Rows.Count == 0);
            var next = new Slice(empty?.Stored, portKey, []) { IsChanged = true };
            slices.RemoveAll(slice => ReferenceEquals(slice, empty));
            Fill(next, rows);
            slices.Add(next);
        }
    }

    private static void Fill(Slice slice, Queue<EndpointRow> rows)
    {
        while (slice.Rows.Count < Capacity && rows.TryDequeue(out var row))
        {
            slice.Rows.Add(row);
            slice.IsChanged = true;
        }
    }

    private static List<string> PodNames(JsonElement slice) =>
        slice.TryGetProperty("endpoints", out var endpoints) && endpoints.ValueKind == JsonValueKind.Array
            ? [.. endpoints.EnumerateArray().Select(endpoint => endpoint.TryGetProperty("targetRef", out var target)
                && target.TryGetProperty("name", out var name) ? name.GetString() ?? "" : "")]
            : [];

    private static string? OwnerUid(StoredObject stored)
    {
        using var document = JsonDocument.Parse(stored.Document);
        return document.RootElement.GetProperty("metadata").TryGetProperty("ownerReferences", out var owners)
            && owners.ValueKind == JsonValueKind.Array && owners.GetArrayLength() > 0
            && owners[0].TryGetProperty("uid", out var uid) ? uid.GetString() : null;
    }
}
