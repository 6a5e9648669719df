using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Mesh.Core.Labels;
using Mesh.Core.Names;

namespace Mesh.Core.Json;

/// <summary>The metadata that every kind's record takes.</summary>
internal sealed record ObjectMeta(NamespacedName Name, string Uid, long ResourceVersion, bool IsDeleting, JsonElement Metadata)
{
    public static ObjectMeta Of(JsonElement root)
    {
        var metadata = root.Child("metadata");
        var version = metadata.Text("resourceVersion");
        if (!long.TryParse(version ?? "0", NumberStyles.None, CultureInfo.InvariantCulture, out var resourceVersion))
        {
            throw new FormatException($"'resourceVersion' is not a number: '{version}'.");
        }

        return new ObjectMeta(
            NamespacedName.Of(metadata.RequiredText("namespace"), metadata.RequiredText("name")),
            metadata.Text("uid") ?? "",
            resourceVersion,
            metadata.Has("deletionTimestamp"),
            metadata);
    }

    public string? Annotation(string key) => Metadata.Child("annotations").Text(key);

    public ImmutableSortedDictionary<string, string> Labels() => Map(Metadata, "labels");

    public static ImmutableSortedDictionary<string, string> Map(JsonElement parent, string name)
    {
        var map = parent.Child(name);
        if (map.ValueKind == JsonValueKind.Undefined)
        {
            return LabelMap.Empty;
        }

        var builder = LabelMap.Empty.ToBuilder();
        foreach (var pair in map.EnumerateObject())
        {
            builder[pair.Name] = pair.Value.ValueKind == JsonValueKind.String
                ? pair.Value.GetString()!
                : throw new FormatException($"'{name}' holds a value that is not text: '{pair.Name}'.");
        }

        return builder.ToImmutable();
    }
}
