using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Clocks;
using Mesh.Core.Json;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Objects;

/// <summary>
/// Finalizers, for every kind alike: an object that has some is marked as being deleted, and goes with the update that
/// takes the last one away. What is to become of its dependents is one of them.
/// </summary>
public sealed class FinalizedRules(IObjectRules rules, TimeProvider time) : IObjectRules
{
    public WritePlan Plan(ObjectRequest request, StoredObject? current)
    {
        if (current is null)
        {
            return rules.Plan(request, current);
        }

        return request.Verb switch
        {
            ObjectVerb.Delete => Delete(request, current),
            ObjectVerb.Update when current.IsDeleting && HasFinalizers(current.Document) && !HasFinalizers(request.Document)
                && rules.Plan(AsDeletion(request), current) is WritePlan.Delete gone => gone,
            _ => rules.Plan(request, current),
        };
    }

    public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed) => rules.Explain(request, failed);

    public static bool HasFinalizers(ReadOnlyMemory<byte> document) => Of(document).Length > 0;

    /// <summary>The finalizers of a document.</summary>
    public static string[] Of(ReadOnlyMemory<byte> document) =>
        document.Span.IndexOf("\"finalizers\""u8) >= 0 && StoredFields.Node(document, "metadata", "finalizers") is JsonArray { Count: > 0 } finalizers
            ? [.. finalizers.Select(finalizer => (string?)finalizer ?? "")]
            : [];

    /// <summary>The document with these finalizers and no others.</summary>
    public static byte[] With(ReadOnlyMemory<byte> document, IReadOnlyList<string> finalizers) => DocumentEdit.Apply(
        document, finalizers.Count == 0 ? FieldEdit.Remove("metadata", "finalizers") : FieldEdit.Texts(finalizers, "metadata", "finalizers"));

    /// <summary>The document as being deleted, from now on unless it was before.</summary>
    public static byte[] Mark(StoredObject current, IReadOnlyList<string> finalizers, DateTimeOffset now)
    {
        var document = With(current.Document, finalizers);
        return current.IsDeleting ? document : DocumentEdit.Apply(
            document,
            FieldEdit.Text(StoredFields.Time(now), "metadata", "deletionTimestamp"),
            new FieldEdit(["metadata", "deletionGracePeriodSeconds"], JsonSerializer.SerializeToUtf8Bytes(0, MeshJson.Options)));
    }

    private WritePlan Delete(ObjectRequest request, StoredObject current)
    {
        var before = Of(current.Document);
        var finalizers = PropagationFinalizers.Of(before, request.Propagation);
        return rules.Plan(request, current) switch
        {
            WritePlan.Delete when !finalizers.IsEmpty => Begin(current, before, finalizers),
            WritePlan.Put put when !finalizers.SequenceEqual(before) => put with { Document = With(put.Document, finalizers) },
            var plan => plan,
        };
    }

    private WritePlan Begin(StoredObject current, string[] before, ImmutableArray<string> finalizers) =>
        current.IsDeleting && finalizers.SequenceEqual(before)
            ? new WritePlan.Refuse(Replies.Stored(current, ObjectResult.DeletionStarted))
            : new WritePlan.Put(Mark(current, finalizers, WallClock.Now(time)), [], ObjectResult.DeletionStarted);

    private static ObjectRequest AsDeletion(ObjectRequest request) => request with { Verb = ObjectVerb.Delete, Document = default };
}
