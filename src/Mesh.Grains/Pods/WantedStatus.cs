using System.Text.Json;
using Mesh.Core.Names;
using Mesh.Grains.Nodes;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>What a Pod's object should show of its life, by what its node said last, and whether it shows that already.</summary>
internal sealed class WantedStatus(IWatchCache cache, KnownNodes nodes)
{
    /// <summary>What is to be written; null when nothing is.</summary>
    /// <param name="life">Null: nobody remembers the node's word, and what is shown stands.</param>
    public PodStatus? Missing(StoredObject stored, PodLife? life)
    {
        if (cache.Get(Kinds.Namespace(stored.Key.Namespace)) is not { IsDeleting: false })
        {
            return null;
        }

        var shown = ShownPod.Read(stored.Document);
        if (shown.IsTerminal)
        {
            return null;
        }

        var status = Of(stored, shown, life);
        return status.IsShownBy(shown) ? null : status;
    }

    /// <summary>
    /// Whether its grain has something to do, though nothing happens to the Pod: it shows another status than it should, or that its
    /// node is silent when that is heard of again.
    /// </summary>
    public bool IsUnsettled(StoredObject stored)
    {
        try
        {
            return IsSilenceOver(stored) || Missing(stored, null) is not null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or FormatException)
        {
            return true; // its own grain says so; whoever looks at all Pods goes on to the next
        }
    }

    /// <summary>It shows that nothing is heard of its node, which is not so any more: what the node said before stands again.</summary>
    public bool IsSilenceOver(StoredObject stored)
    {
        var shown = ShownPod.Read(stored.Document);
        return shown.Reason == PodStatus.NodeUnknown && !shown.IsTerminal && nodes.Of(shown.NodeName) is { IsSilent: false };
    }

    /// <summary>Its node's newest word, unless nothing is heard of the node.</summary>
    private PodStatus Of(StoredObject stored, ShownPod shown, PodLife? life)
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
}
