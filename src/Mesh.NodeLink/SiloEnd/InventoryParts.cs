using Grpc.Core;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>Puts the parts of an inventory together: only a whole one says what is absent.</summary>
internal sealed class InventoryParts
{
    /// <summary>A node holds 10,000 registrations, and manifest Pods besides.</summary>
    private const int MaxPods = 100_000;

    private Inventory? _whole;

    public Inventory? Add(Inventory part)
    {
        if (_whole is null || _whole.Counter != part.Counter || _whole.Namespace != part.Namespace)
        {
            _whole = part;
        }
        else if (_whole.Pods.Count + part.Pods.Count > MaxPods)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"An inventory of more than {MaxPods} Pods."));
        }
        else
        {
            _whole.Pods.AddRange(part.Pods);
        }

        if (!part.Last)
        {
            return null;
        }

        var done = _whole;
        _whole = null;
        return done;
    }
}
