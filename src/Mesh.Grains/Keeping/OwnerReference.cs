using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Grains.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>One entry of <c>metadata.ownerReferences</c>.</summary>
internal sealed record OwnerReference(string ApiVersion, string Kind, string Name, string Uid, bool Blocks)
{
    public static OwnerReference[] Of(StoredObject stored) =>
        stored.Document.Span.IndexOf("\"ownerReferences\""u8) >= 0
        && StoredFields.Node(stored.Document, "metadata", "ownerReferences") is JsonArray owners
            ? [.. owners.OfType<JsonObject>().Select(Read)]
            : [];

    /// <summary>The document without the references to these owners.</summary>
    public static ReadOnlyMemory<byte> Without(StoredObject stored, IReadOnlySet<string> uids)
    {
        var owners = (JsonArray)StoredFields.Node(stored.Document, "metadata", "ownerReferences")!;
        var kept = owners.Where(owner => !uids.Contains((string?)owner?["uid"] ?? "")).Select(owner => owner?.DeepClone()).ToArray();
        return DocumentEdit.Apply(
            stored.Document,
            new FieldEdit(["metadata", "ownerReferences"], kept.Length == 0 ? null : System.Text.Encoding.UTF8.GetBytes(new JsonArray(kept).ToJsonString(MeshJson.Options))));
    }

    private static OwnerReference Read(JsonObject owner) => new(
        (string?)owner["apiVersion"] ?? "",
        (string?)owner["kind"] ?? "",
        (string?)owner["name"] ?? "",
        (string?)owner["uid"] ?? "",
        owner["blockOwnerDeletion"]?.GetValueKind() == System.Text.Json.JsonValueKind.True);
}
