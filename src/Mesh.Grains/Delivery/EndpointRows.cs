using System.Diagnostics;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>Rows of endpoints, by the Pod's name. One that ended may come back: a selector can match again.</summary>
public sealed class EndpointRows : IRowKind<string, EndpointRow>
{
    public static EndpointRows Kind { get; } = new();

    private EndpointRows()
    {
    }

    public string KeyOf(EndpointRow row) => row.PodName;

    public bool IsEnded(EndpointRow row) => row.IsEnded;

    public EndpointRow End(EndpointRow row) => row with { IsEnded = true, IsReady = false, IsServing = false };

    public EndpointRow Merge(EndpointRow known, EndpointRow incoming)
    {
        var merged = RowMerging.Decide(Orders.Of(known.Order), Orders.Of(incoming.Order)) switch
        {
            RowMerge.Keep => known,
            RowMerge.Replace => incoming,
            RowMerge.Mix => Mix(known, incoming),
            _ => throw new UnreachableException(),
        };
        return ReferenceEquals(merged, known) || Same(merged, known) ? known : merged;
    }

    public static bool Same(EndpointRow left, EndpointRow right) =>
        left.Order == right.Order
        && left.IsReady == right.IsReady
        && left.IsServing == right.IsServing
        && left.IsTerminating == right.IsTerminating
        && left.IsRegistered == right.IsRegistered
        && left.IsEnded == right.IsEnded
        && left.NodeName == right.NodeName
        && Equals(left.Address, right.Address)
        && left.Ports.AsSpan().SequenceEqual(right.Ports);

    private static EndpointRow Mix(EndpointRow known, EndpointRow incoming)
    {
        var spec = incoming.Order.SpecVersion > known.Order.SpecVersion ? incoming : known;
        var live = ReferenceEquals(spec, incoming) ? known : incoming;
        return spec with
        {
            Order = Orders.ToMessage(RowMerging.Mix(Orders.Of(known.Order), Orders.Of(incoming.Order))),
            IsReady = live.IsReady,
            IsServing = live.IsServing,
            IsTerminating = live.IsTerminating || spec.IsTerminating,
            IsEnded = live.IsEnded || spec.IsEnded,
        };
    }
}
