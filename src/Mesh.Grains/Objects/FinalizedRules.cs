using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Objects;

/// <summary>
/// Finalizers, for every kind alike: an object that has some is marked as being deleted, and goes with the update that
/// takes the last one away.
/// </summary>
public sealed class FinalizedRules(IObjectRules rules, TimeProvider time) : IObjectRules
{
    public WritePlan Plan(ObjectRequest request, StoredObject? current)
    {
        if (current is null || !HasFinalizers(current.Document))
        {
            return rules.Plan(request, current);
        }

        return request.Verb switch
        {
            ObjectVerb.Delete when rules.Plan(request, current) is WritePlan.Delete => Begin(current),
            ObjectVerb.Update when current.IsDeleting && !HasFinalizers(request.Document) && rules.Plan(AsDeletion(request), current) is WritePlan.Delete gone => gone,
            _ => rules.Plan(request, current),
        };
    }

    public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed) => rules.Explain(request, failed);

    public static bool HasFinalizers(ReadOnlyMemory<byte> document) =>
        StoredFields.Node(document, "metadata", "finalizers") is JsonArray { Count: > 0 };

    private WritePlan Begin(StoredObject current)
    {
        if (current.IsDeleting)
        {
            return new WritePlan.Refuse(Replies.Stored(current, ObjectResult.DeletionStarted));
        }

        var marked = DocumentEdit.Apply(
            current.Document,
            FieldEdit.Text(StoredFields.Time(time.GetUtcNow()), "metadata", "deletionTimestamp"),
            new FieldEdit(["metadata", "deletionGracePeriodSeconds"], JsonSerializer.SerializeToUtf8Bytes(0, MeshJson.Options)));
        return new WritePlan.Put(marked, [], ObjectResult.DeletionStarted);
    }

    private static ObjectRequest AsDeletion(ObjectRequest request) => request with { Verb = ObjectVerb.Delete, Document = default };
}
