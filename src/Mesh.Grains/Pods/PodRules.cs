using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Nodes;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>What the API may do to a Pod: the node is bound when it is created, its status is the grain's own.</summary>
/// <param name="ownNode">The node of this silo's machine.</param>
internal sealed class PodRules(IWatchCache cache, KnownNodes nodes, string ownNode, TimeProvider time, Random random) : IObjectRules
{
    /// <summary>As Kubernetes' default for a Pod that names none.</summary>
    private const long DefaultGraceSeconds = 30;

    public WritePlan Plan(ObjectRequest request, StoredObject? current) => request.Verb switch
    {
        ObjectVerb.Create => Create(request.Document),
        ObjectVerb.Update => Update(request.Document, current!),
        _ => Delete(request, current!),
    };

    public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed) => null;

    /// <summary>The address of a node, empty while it has none.</summary>
    public string AddressOf(string node) => nodes.Of(node)?.Address ?? "";

    /// <summary>What the object should show: its node's newest word, unless nothing is heard of the node.</summary>
    public PodStatus Status(StoredObject stored, ShownPod shown, PodLife? life)
    {
        var node = nodes.Of(shown.NodeName);
        var host = node?.Address ?? "";
        var address = shown.PodIP ?? host;
        if (node is { IsSilent: true })
        {
            return new PodStatus(false, PodStatus.NodeUnknown, $"nothing is heard of node {shown.NodeName}", address, host);
        }

        return life?.Uid == stored.Uid
            ? new PodStatus(life.IsReady, PodStatus.ReasonOf(life.Reason), life.Message, address, host)
            : PodStatus.Stored(shown, address, host);
    }

    private WritePlan.Put Create(ReadOnlyMemory<byte> document)
    {
        var pod = StoredFields.Open(document);
        var metadata = pod.Child("metadata");
        metadata["uid"] ??= Uid.New(random);
        metadata["creationTimestamp"] ??= StoredFields.Time(time.GetUtcNow());
        var asked = (string?)metadata["annotations"]?[MeshAnnotations.PodIP];
        var node = (string?)pod["spec"]?["nodeName"] is { Length: > 0 } named ? named : Owner(asked) ?? ownNode;
        pod.Child("spec")["nodeName"] = node;
        var status = new PodStatus(false, PodReasons.ProcessAwaited, "its node has not reported yet", asked ?? AddressOf(node), AddressOf(node));
        return new WritePlan.Put(status.Apply(StoredFields.Close(pod), time.GetUtcNow()), []);
    }

    private static WritePlan Update(ReadOnlyMemory<byte> document, StoredObject current)
    {
        var pod = StoredFields.Open(document);
        if ((string?)pod["spec"]?["nodeName"] != PodDocument.NodeName(current.Document))
        {
            return new WritePlan.Refuse(Replies.Invalid("spec.nodeName", "Forbidden: a Pod does not move to another node"));
        }

        pod["status"] = StoredFields.Node(current.Document, "status");
        if (RegisteredPod.IsRegistered(current.Document))
        {
            RegisteredPod.KeepOwn(pod, current.Document);
        }

        return new WritePlan.Put(StoredFields.Close(pod), []);
    }

    private WritePlan Delete(ObjectRequest request, StoredObject current)
    {
        // A manifest starts no process, so nothing has to be drained; neither has one that ended, or whose end is not waited for.
        if (request.GracePeriodSeconds == 0 || !RegisteredPod.IsRegistered(current.Document) || PodDocument.IsTerminal(current.Document))
        {
            return new WritePlan.Delete([]);
        }

        if (current.IsDeleting)
        {
            return new WritePlan.Refuse(Replies.Stored(current, ObjectResult.DeletionStarted));
        }

        var grace = request.GracePeriodSeconds ?? DefaultGraceSeconds;
        var pod = StoredFields.Open(current.Document);
        pod.Child("metadata")["deletionTimestamp"] = StoredFields.Time(time.GetUtcNow() + TimeSpan.FromSeconds(Math.Clamp(grace, 0, 3600)));
        pod.Child("metadata")["deletionGracePeriodSeconds"] = grace;
        return new WritePlan.Put(StoredFields.Close(pod), [], ObjectResult.DeletionStarted);
    }

    /// <summary>The node that has the address; of several the first by name.</summary>
    private string? Owner(string? address) => address is null
        ? null
        : cache.List("", "Node", null).Items.FirstOrDefault(node => nodes.Of(node.Key.Name)?.Addresses.Contains(address) == true)?.Key.Name;
}
