using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;

namespace Mesh.Grains.Pods;

/// <summary>
/// The document of a Pod that registered itself. Its labels and annotations belong to field manager <c>mesh-node</c>,
/// remembered in <c>managedFields</c>. A later registration applies those of them that it names since the one that is shown
/// here, and takes away those it has no longer; whatever else kubectl set, changed or took away stays so.
/// </summary>
internal static class RegisteredPod
{
    public const string FieldManager = "mesh-node";

    /// <summary>Version and liveness of the registration that the object shows.</summary>
    public const string RegistrationAnnotation = "mesh.internal/registration";

    private const long FirstVersion = 1;

    public static ReadOnlyMemory<byte> Create(PodReport report, string hostIP, DateTimeOffset now)
    {
        var pod = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = report.Name,
                ["namespace"] = report.Namespace,
                ["uid"] = report.Uid,
                ["creationTimestamp"] = StoredFields.Time(now),
            },
        };
        Register(pod, report, now);
        return Status(report, hostIP).Apply(StoredFields.Close(pod), now);
    }

    /// <summary>The document with a newer registration of the same Pod.</summary>
    public static ReadOnlyMemory<byte> Register(ReadOnlyMemory<byte> document, PodReport report, DateTimeOffset now)
    {
        var pod = StoredFields.Open(document);
        Register(pod, report, now);
        return StoredFields.Close(pod);
    }

    /// <summary>Version and liveness of the registration that the document shows; zeros when it shows none.</summary>
    public static (long Version, ulong Liveness) Shown(ReadOnlyMemory<byte> document) =>
        ReadShown(StoredFields.Text(document, "metadata", "annotations", RegistrationAnnotation));

    public static bool IsRegistered(ReadOnlyMemory<byte> document) =>
        StoredFields.Text(document, "metadata", "annotations", MeshAnnotations.RegisteredBy) == MeshAnnotations.RegisteredByStream;

    /// <summary>What makes it a registered Pod is not a user's to change: an update without it means the same Pod.</summary>
    public static void KeepOwn(JsonObject pod, ReadOnlyMemory<byte> stored)
    {
        var annotations = pod.Child("metadata").Child("annotations");
        foreach (var name in (string[])[MeshAnnotations.RegisteredBy, RegistrationAnnotation, MeshAnnotations.PodIP])
        {
            if (StoredFields.Text(stored, "metadata", "annotations", name) is { } value)
            {
                annotations[name] = value;
            }
        }
    }

    public static PodStatus Status(PodReport report, string hostIP) =>
        new(report.IsReady, report.IsReady ? "" : PodStatus.ReasonOf(report.Reason), report.Message, Address(report.Document, hostIP), hostIP);

    private static void Register(JsonObject pod, PodReport report, DateTimeOffset now)
    {
        var told = StoredFields.Open(report.Document);
        var metadata = pod.Child("metadata");
        var shown = ReadShown((string?)metadata["annotations"]?[RegistrationAnnotation]).Version;
        var owned = new JsonObject();
        foreach (var (map, named) in new[] { ("labels", report.Named?.Labels), ("annotations", report.Named?.Annotations) })
        {
            var wanted = told["metadata"]?[map] as JsonObject ?? [];
            owned["f:" + map] = Replace(metadata.Child(map), wanted, [.. Owned(metadata, map)], key =>
                named is null
                || (named.TryGetValue(key, out var at) ? at : FirstVersion) > shown
                || key.StartsWith(MeshAnnotations.Prefix, StringComparison.Ordinal));
        }

        var annotations = metadata.Child("annotations");
        annotations[MeshAnnotations.RegisteredBy] = MeshAnnotations.RegisteredByStream;
        annotations[RegistrationAnnotation] = string.Create(CultureInfo.InvariantCulture, $"{report.RegistrationVersion}/{report.Liveness}");
        SetManagedFields(metadata, owned, now);
        pod["spec"] = Spec(told, report);
    }

    private static (long Version, ulong Liveness) ReadShown(string? text) =>
        text?.Split('/') is [var version, var liveness]
        && long.TryParse(version, CultureInfo.InvariantCulture, out var known)
        && ulong.TryParse(liveness, CultureInfo.InvariantCulture, out var lived)
            ? (known, lived)
            : (0, 0);

    private static string Address(ReadOnlyMemory<byte> document, string hostIP) =>
        StoredFields.Text(document, "status", "podIP")
        ?? StoredFields.Text(document, "metadata", "annotations", MeshAnnotations.PodIP)
        ?? hostIP;

    private static JsonObject Spec(JsonObject told, PodReport report)
    {
        var spec = told["spec"]?.DeepClone() as JsonObject ?? [];
        var container = (spec["containers"] as JsonArray)?.FirstOrDefault()?.DeepClone() as JsonObject ?? [];
        container["name"] = RegisteredContainer.NameOf(report.Name);
        container["image"] ??= RegisteredContainer.Image;
        spec["containers"] = new JsonArray(container);
        spec["nodeName"] = report.NodeName;
        spec["restartPolicy"] = "Never";
        return spec;
    }

    /// <summary>Replaces what the manager owns and names, leaves the rest, and returns what it owns now.</summary>
    private static JsonObject Replace(JsonObject target, JsonObject wanted, HashSet<string> owned, Func<string, bool> isNamed)
    {
        foreach (var key in owned.Where(key => !wanted.ContainsKey(key)))
        {
            target.Remove(key);
        }

        var fields = new JsonObject();
        foreach (var (key, value) in wanted)
        {
            if (!owned.Contains(key) || isNamed(key))
            {
                target[key] = value?.DeepClone();
            }

            fields["f:" + key] = new JsonObject();
        }

        return fields;
    }

    private static IEnumerable<string> Owned(JsonObject metadata, string map) =>
        (ManagedBy(metadata)?["fieldsV1"]?["f:metadata"]?["f:" + map] as JsonObject)?
            .Select(field => field.Key).Where(key => key.StartsWith("f:", StringComparison.Ordinal)).Select(key => key[2..]) ?? [];

    private static JsonNode? ManagedBy(JsonObject metadata) =>
        (metadata["managedFields"] as JsonArray)?.FirstOrDefault(entry => (string?)entry?["manager"] == FieldManager);

    private static void SetManagedFields(JsonObject metadata, JsonObject owned, DateTimeOffset now)
    {
        var entries = metadata["managedFields"] as JsonArray ?? [];
        if (ManagedBy(metadata) is { } known)
        {
            entries.Remove(known);
        }

        entries.Add(new JsonObject
        {
            ["manager"] = FieldManager,
            ["operation"] = "Apply",
            ["apiVersion"] = "v1",
            ["time"] = StoredFields.Time(now),
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = new JsonObject { ["f:metadata"] = owned },
        });
        metadata["managedFields"] = entries;
    }
}
