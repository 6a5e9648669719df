using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>Rows of Pods, by the Pod's name.</summary>
public sealed class PodRows : IRowKind<string, PodRow>
{
    private PodRows()
    {
    }

    public static PodRows Kind { get; } = new();

    public string KeyOf(PodRow row) => row.Name;

    public RowOrder OrderOf(PodRow row) => Orders.Of(row.Order);

    public bool IsEnded(PodRow row) => row.IsEnded;

    public PodRow End(PodRow row) => row with { IsEnded = true, IsReady = false };

    public PodRow Compose(MergedRow<PodRow> merged) =>
        ReferenceEquals(merged.Spec, merged.Liveness)
            ? merged.Spec
            : merged.Spec with
            {
                Order = Orders.ToMessage(merged.Order),
                IsReady = merged.Liveness.IsReady,
                IsTerminating = merged.Liveness.IsTerminating || merged.Spec.IsTerminating,
                IsEnded = merged.IsEnded,
            };
}
