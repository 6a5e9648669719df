using System.Net;
using System.Text.Json.Nodes;
using Mesh.Core;
using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Nodes;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>What the API may do to a Pod: the node is bound when it is created, its status is the grain's own.</summary>
/// <param name="rule">Where no Pod may be.</param>
/// <param name="ownNode">The node of this silo's machine.</param>
internal sealed class PodRules(IWatchCache cache, KnownNodes nodes, EndpointRule rule, string ownNode, TimeProvider time, Random random) : IObjectRules
{
    /// <summary>As Kubernetes' default for a Pod that names none.</summary>
    private const long DefaultGraceSeconds = 30;

    private static readonly TimeSpan LongestGrace = TimeSpan.FromHours(1);

    public WritePlan Plan(ObjectRequest request, StoredObject? current) => request.Verb switch
    {
        ObjectVerb.Create => Create(request.Document),
        ObjectVerb.Update => Update(request.Document, current!),
        _ => Delete(request, current!),
    };

    public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed) => null;

    /// <summary>The address of a node, empty while it has none.</summary>
    public string AddressOf(string node) => nodes.Of(node)?.Address ?? "";

    private WritePlan Create(ReadOnlyMemory<byte> document)
    {
        var pod = StoredFields.Open(document);
        var metadata = pod.Child("metadata");
        metadata["uid"] ??= Uid.New(random);
        metadata["creationTimestamp"] ??= StoredFields.Time(WallClock.Now(time));
        var asked = (string?)metadata["annotations"]?[MeshAnnotations.PodIP];
        var node = (string?)pod["spec"]?["nodeName"] is { Length: > 0 } named ? named : Owner(asked) ?? ownNode;
        pod.Child("spec")["nodeName"] = node;
        if (NotAllowed(asked ?? AddressOf(node), pod) is { } refused)
        {
            return new WritePlan.Refuse(refused);
        }

        var status = new PodStatus(false, PodReasons.ProcessAwaited, "its node has not reported yet", asked ?? AddressOf(node), AddressOf(node));
        return new WritePlan.Put(status.Apply(StoredFields.Close(pod), WallClock.Now(time)), []);
    }

    /// <summary>What is plainly wrong is said at once: Mesh itself is there, so the Pod's process cannot be.</summary>
    private ObjectReply? NotAllowed(string text, JsonObject pod)
    {
        if (!AddressText.TryParse(text, out var address))
        {
            return null; // its node is not known yet
        }

        if (rule.WhyNot(address) is { } why)
        {
            return Replies.Invalid($"metadata.annotations[{MeshAnnotations.PodIP}]", $"Invalid value: \"{text}\": {why}");
        }

        var containers = pod["spec"]?["containers"] as JsonArray ?? [];
        for (var i = 0; i < containers.Count; i++)
        {
            var ports = containers[i]?["ports"] as JsonArray ?? [];
            for (var j = 0; j < ports.Count; j++)
            {
                if (ports[j]?["containerPort"] is JsonValue value && value.TryGetValue(out int port) && rule.WhyNot(address, port) is { } own)
                {
                    return Replies.Invalid(
                        $"spec.containers[{i}].ports[{j}].containerPort", $"Invalid value: {port}: {new IPEndPoint(address, port)} {own}");
                }
            }
        }

        return null;
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
        pod.Child("metadata")["deletionTimestamp"] = StoredFields.Time(WallClock.Now(time) + UserSeconds.AtMost(grace, LongestGrace));
        pod.Child("metadata")["deletionGracePeriodSeconds"] = grace;
        return new WritePlan.Put(StoredFields.Close(pod), [], ObjectResult.DeletionStarted);
    }

    /// <summary>The node that has the address; of several the first by name.</summary>
    private string? Owner(string? address) => address is null
        ? null
        : cache.List("", "Node", null).Items.FirstOrDefault(node => nodes.Of(node.Key.Name)?.Addresses.Contains(address) == true)?.Key.Name;
}
