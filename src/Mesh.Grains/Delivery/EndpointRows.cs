using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>Rows of endpoints, by the Pod's name.</summary>
public sealed class EndpointRows : IRowKind<string, EndpointRow>
{
    private EndpointRows()
    {
    }

    public static EndpointRows Kind { get; } = new();

    public string KeyOf(EndpointRow row) => row.PodName;

    public RowOrder OrderOf(EndpointRow row) => Orders.Of(row.Order);

    public bool IsEnded(EndpointRow row) => row.IsEnded;

    public EndpointRow End(EndpointRow row) => row with { IsEnded = true, IsReady = false, IsServing = false };

    public EndpointRow Compose(MergedRow<EndpointRow> merged) =>
        ReferenceEquals(merged.Spec, merged.Liveness)
            ? merged.Spec
            : merged.Spec with
            {
                Order = Orders.ToMessage(merged.Order),
                IsReady = merged.Liveness.IsReady,
                IsServing = merged.Liveness.IsServing,
                IsTerminating = merged.Liveness.IsTerminating || merged.Spec.IsTerminating,
                IsEnded = merged.IsEnded,
            };
}
