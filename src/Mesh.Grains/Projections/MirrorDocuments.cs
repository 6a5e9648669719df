using System.Net.Sockets;
using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Pods;
using Mesh.Grains.Services;
using Mesh.Storage;

namespace Mesh.Grains.Projections;

/// <summary>EndpointSlice (discovery.k8s.io/v1) and Endpoints (v1) as documents; null when the stored one says the same.</summary>
internal sealed class MirrorDocuments(Mirrored mirrored, Func<string, string?> zoneOf, DateTimeOffset now, Random random)
{
    private const int MostAddresses = 1000;
    private const string NameLetters = "bcdfghjklmnpqrstvwxz2456789";
    private static readonly string[] SliceFields = ["addressType", "endpoints", "ports"];
    private static readonly string[] EndpointsFields = ["subsets"];

    public (ObjectKey Key, byte[] Document)? Slice(Slice slice)
    {
        var labels = mirrored.Labels();
        labels[OwnSlices.ServiceLabel] = mirrored.Name.Name;
        labels[OwnSlices.ManagedByLabel] = OwnSlices.ManagedBy;
        var content = new
        {
            addressType = slice.Rows.Count > 0 && slice.Rows[0].Address?.AddressFamily == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4",
            endpoints = slice.Rows.Select(Endpoint).ToArray(),
            ports = Ports(slice.Rows).Select(port => new
            {
                name = port.Name,
                protocol = Mirrored.Protocol(port.Protocol),
                port = port.Number,
                appProtocol = mirrored.Service.Ports.FirstOrDefault(own => own.Name == port.Name)?.AppProtocol,
            }).ToArray(),
        };
        var name = slice.Stored?.Key.Name ?? $"{mirrored.Name.Name}-{RandomName()}";
        return Document(
            slice.Stored, "discovery.k8s.io/v1", "EndpointSlice", name, labels, mirrored.Owner(), JsonSerializer.SerializeToElement(content, MeshJson.WithoutNulls), SliceFields)
            is { } document
            ? (Kinds.EndpointSlice(NamespacedName.Of(mirrored.Name.Namespace, name)), document)
            : null;
    }

    public byte[]? Endpoints(StoredObject? stored)
    {
        var shown = mirrored.Rows
            .Where(row => row.Ports.Length > 0 && (!row.IsTerminating || mirrored.Service.PublishNotReadyAddresses))
            .OrderByDescending(row => row.IsReady).ThenBy(row => row.PodName, StringComparer.Ordinal)
            .ToArray();
        var isTruncated = shown.Length > MostAddresses;
        var subsets = shown.Take(MostAddresses).GroupBy(Mirrored.PortKey).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new
        {
            addresses = Addresses(group.Where(row => row.IsReady)),
            notReadyAddresses = Addresses(group.Where(row => !row.IsReady)),
            ports = group.First().Ports.Select(port => new
            {
                name = port.Name.Length > 0 ? port.Name : null,
                port = port.Number,
                protocol = Mirrored.Protocol(port.Protocol),
            }).ToArray(),
        }).ToArray();
        var content = new { subsets = subsets.Length > 0 ? subsets : null };
        return Document(
            stored, "v1", "Endpoints", mirrored.Name.Name, mirrored.Labels(), null, JsonSerializer.SerializeToElement(content, MeshJson.WithoutNulls), EndpointsFields, isTruncated);
    }

    private object Endpoint(EndpointRow row) => new
    {
        addresses = new[] { row.Address!.ToString() },
        conditions = new { ready = row.IsReady, serving = row.IsServing, terminating = row.IsTerminating },
        nodeName = row.NodeName.Length > 0 ? row.NodeName : null,
        targetRef = mirrored.Target(row),
        zone = zoneOf(row.NodeName),
    };

    private object[]? Addresses(IEnumerable<EndpointRow> rows)
    {
        var addresses = rows.Select(object (row) => new
        {
            ip = row.Address!.ToString(),
            nodeName = row.NodeName.Length > 0 ? row.NodeName : null,
            targetRef = mirrored.Target(row),
        }).ToArray();
        return addresses.Length > 0 ? addresses : null;
    }

    private static PodPort[] Ports(List<EndpointRow> rows) => rows.Count > 0 ? rows[0].Ports : [];

    private byte[]? Document(
        StoredObject? stored, string apiVersion, string kind, string name, SortedDictionary<string, string> labels, object[]? owners, JsonElement content, string[] fields, bool isTruncated = false)
    {
        var labelsJson = JsonSerializer.SerializeToElement(labels, MeshJson.WithoutNulls);
        using var before = stored is null ? null : JsonDocument.Parse(stored.Document);
        if (before is not null && Says(before.RootElement, labelsJson, content, fields) && IsTruncated(before.RootElement) == isTruncated)
        {
            return null;
        }

        var body = new Dictionary<string, object?>
        {
            ["apiVersion"] = apiVersion,
            ["kind"] = kind,
            ["metadata"] = new
            {
                name,
                @namespace = mirrored.Name.Namespace,
                uid = stored?.Uid ?? Uid.New(random),
                creationTimestamp = Text(before, "creationTimestamp") ?? Mirrored.Time(now),
                labels = labelsJson,
                annotations = Annotations(isTruncated),
                ownerReferences = owners,
                generateName = owners is null ? null : mirrored.Name.Name + "-",
                generation = owners is null ? (long?)null : Generation(before) + 1,
            },
        };
        foreach (var field in content.EnumerateObject())
        {
            body[field.Name] = field.Value;
        }

        return JsonSerializer.SerializeToUtf8Bytes(body, MeshJson.WithoutNulls);
    }

    private Dictionary<string, string> Annotations(bool isTruncated)
    {
        var annotations = new Dictionary<string, string> { [Mirrored.TriggerTime] = Mirrored.NanoTime(now) };
        if (isTruncated)
        {
            annotations[Mirrored.OverCapacity] = "truncated";
        }

        return annotations;
    }

    /// <summary>Whether it is a Service's mirror, which alone says when it was last changed.</summary>
    public static bool IsMirror(StoredObject endpoints) =>
        StoredFields.Text(endpoints.Document, "metadata", "annotations", Mirrored.TriggerTime) is not null;

    private static bool IsTruncated(JsonElement stored) =>
        stored.GetProperty("metadata").TryGetProperty("annotations", out var annotations) && annotations.TryGetProperty(Mirrored.OverCapacity, out _);

    private static bool Says(JsonElement stored, JsonElement labels, JsonElement content, string[] fields)
    {
        var metadata = stored.GetProperty("metadata");
        return Same(metadata, "labels", labels)
            && fields.All(field => content.TryGetProperty(field, out var wanted)
                ? Same(stored, field, wanted)
                : !stored.TryGetProperty(field, out var had) || had.ValueKind == JsonValueKind.Null);
    }

    private static bool Same(JsonElement parent, string field, JsonElement wanted) =>
        parent.TryGetProperty(field, out var had) && JsonElement.DeepEquals(had, wanted);

    private static string? Text(JsonDocument? document, string field) =>
        document is not null && document.RootElement.GetProperty("metadata").TryGetProperty(field, out var value) ? value.GetString() : null;

    private static long Generation(JsonDocument? document) =>
        document is not null && document.RootElement.GetProperty("metadata").TryGetProperty("generation", out var value)
            && value.TryGetInt64(out var generation) ? generation : 0;

    private string RandomName() => string.Create(5, random, static (name, random) =>
    {
        for (var i = 0; i < name.Length; i++)
        {
            name[i] = NameLetters[random.Next(NameLetters.Length)];
        }
    });
}
