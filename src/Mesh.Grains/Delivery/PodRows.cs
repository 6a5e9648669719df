using System.Diagnostics;
using Mesh.Core.Labels;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>Rows of Pods, by the Pod's name. A Pod that ended never lives again under its uid.</summary>
public sealed class PodRows : IRowKind<string, PodRow>
{
    public static PodRows Kind { get; } = new();

    private PodRows()
    {
    }

    public string KeyOf(PodRow row) => row.Name;

    public bool IsEnded(PodRow row) => row.IsEnded;

    public PodRow End(PodRow row) => row with { IsEnded = true, IsReady = false };

    public PodRow Merge(PodRow known, PodRow incoming)
    {
        var (old, next) = (Orders.Of(known.Order), Orders.Of(incoming.Order));
        var merged = RowMerging.Decide(old, next) switch
        {
            RowMerge.Keep => known,
            RowMerge.Replace => incoming,
            RowMerge.Mix => Mix(known, incoming),
            _ => throw new UnreachableException(),
        };
        // The end of a uid is final, whichever message told it first.
        if (old.IsSameObject(next) && (known.IsEnded || incoming.IsEnded) && !merged.IsEnded)
        {
            merged = End(merged);
        }

        return ReferenceEquals(merged, known) || Same(merged, known) ? known : merged;
    }

    private static PodRow Mix(PodRow known, PodRow incoming)
    {
        var spec = incoming.Order.SpecVersion > known.Order.SpecVersion ? incoming : known;
        var live = ReferenceEquals(spec, incoming) ? known : incoming;
        return spec with
        {
            Order = Orders.ToMessage(RowMerging.Mix(Orders.Of(known.Order), Orders.Of(incoming.Order))),
            IsReady = live.IsReady,
            IsTerminating = live.IsTerminating || spec.IsTerminating,
        };
    }

    private static bool Same(PodRow left, PodRow right) =>
        left.Order == right.Order
        && left.IsReady == right.IsReady
        && left.IsTerminating == right.IsTerminating
        && left.IsRegistered == right.IsRegistered
        && left.IsEnded == right.IsEnded
        && left.NodeName == right.NodeName
        && Equals(left.Address, right.Address)
        && left.Ports.AsSpan().SequenceEqual(right.Ports)
        && LabelMap.Same(left.Labels, right.Labels);
}
