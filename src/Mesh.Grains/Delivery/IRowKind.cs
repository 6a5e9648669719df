using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>What the delivery pair must know of a kind of row.</summary>
public interface IRowKind<TKey, TRow>
    where TKey : notnull
    where TRow : class
{
    TKey KeyOf(TRow row);

    RowOrder OrderOf(TRow row);

    /// <summary>The row is a tombstone.</summary>
    bool IsEnded(TRow row);

    /// <summary>The row that a merge amounts to: spec and liveness may come from two messages.</summary>
    TRow Compose(MergedRow<TRow> merged);

    /// <summary>The tombstone of a row, with the row's orders.</summary>
    TRow End(TRow row);
}

/// <summary>Between the orders of a message and those of the rules.</summary>
public static class Orders
{
    public static RowOrder Of(OrderMessage order) => new(order.Uid, order.CreatedVersion, order.SpecVersion, order.Liveness);

    public static OrderMessage ToMessage(RowOrder order) => new(order.Uid, order.CreatedVersion, order.SpecVersion, order.Liveness);
}
