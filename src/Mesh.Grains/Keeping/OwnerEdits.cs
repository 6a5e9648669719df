using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Grains.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>Changes what a document says of its owners.</summary>
internal static class OwnerEdits
{
    /// <summary>The document without the references to these owners.</summary>
    public static ReadOnlyMemory<byte> Without(StoredObject stored, IReadOnlySet<string> uids)
    {
        var owners = (JsonArray)StoredFields.Node(stored.Document, "metadata", "ownerReferences")!;
        var kept = owners.Where(owner => !uids.Contains((string?)owner?["uid"] ?? "")).Select(owner => owner?.DeepClone()).ToArray();
        return DocumentEdit.Apply(
            stored.Document,
            new FieldEdit(["metadata", "ownerReferences"], kept.Length == 0 ? null : Encoding.UTF8.GetBytes(new JsonArray(kept).ToJsonString(MeshJson.Options))));
    }
}
