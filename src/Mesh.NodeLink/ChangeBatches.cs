using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink;

/// <summary>Cuts what is to be told into messages of at most <see cref="LinkLimits.BatchBytes"/>, keeping its order.</summary>
internal static class ChangeBatches
{
    public static IEnumerable<Changes> Of(IEnumerable<RoutingChange> changes, bool synced)
    {
        var batch = new Changes();
        var size = 0;
        foreach (var change in changes)
        {
            var message = WireFormat.ToWire(change);
            var bytes = message.CalculateSize();
            if (batch.Changes_.Count > 0 && size + bytes > LinkLimits.BatchBytes)
            {
                yield return batch;
                batch = new Changes();
                size = 0;
            }

            batch.Changes_.Add(message);
            size += bytes;
        }

        // Only the last one says "synced": it holds for everything before it. An empty last one may be just that word.
        batch.Synced = synced;
        yield return batch;
    }

    public static IEnumerable<Inventory> Of(ulong counter, IEnumerable<PodState> pods)
    {
        var part = new Inventory { Counter = counter };
        var size = 0;
        foreach (var pod in pods)
        {
            var bytes = pod.CalculateSize();
            if (part.Pods.Count > 0 && size + bytes > LinkLimits.BatchBytes)
            {
                yield return part;
                part = new Inventory { Counter = counter };
                size = 0;
            }

            part.Pods.Add(pod);
            size += bytes;
        }

        part.Last = true;
        yield return part;
    }
}
