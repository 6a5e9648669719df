namespace Mesh.Core.Routing;

/// <summary>
/// What is known of one row after any number of messages in any order: the message with the newest spec and the message
/// with the newest liveness, each kept whole. Merging is a maximum over total orders, so it is commutative, associative
/// and idempotent, and no message lowers any part.
/// </summary>
/// <remarks>
/// A row is a tombstone when either of its two messages says so (<see cref="IsEnded"/>): a Pod that died ends by its
/// liveness, one that lost the labels or was deleted ends by its spec. Only the newer of the same part can undo it.
/// </remarks>
/// <typeparam name="T">The message: an endpoint, or a Pod as the registry knows it.</typeparam>
public readonly record struct MergedRow<T>
{
    private readonly Stamp _spec;
    private readonly Stamp _liveness;

    internal MergedRow(T row, RowOrder order, bool isEnded, long computedFrom)
    {
        Spec = Liveness = row;
        _spec = _liveness = new Stamp(order, isEnded, computedFrom);
    }

    private MergedRow(T spec, Stamp specStamp, T liveness, Stamp livenessStamp)
    {
        Spec = spec;
        _spec = specStamp;
        Liveness = liveness;
        _liveness = livenessStamp;
    }

    /// <summary>The message to take labels, ports, address and node from.</summary>
    public T Spec { get; }

    /// <summary>The message to take readiness and termination from.</summary>
    public T Liveness { get; }

    /// <summary>The greatest order of each part.</summary>
    public RowOrder Order => _spec.Order with { Liveness = _liveness.Order.Liveness };

    public bool IsEnded => _spec.IsEnded || _liveness.IsEnded;

    /// <summary>False when the message is not newer in any part; then nothing changed.</summary>
    public bool TryMerge(T row, RowOrder order, bool isEnded, long computedFrom, out MergedRow<T> merged)
    {
        var stamp = new Stamp(order, isEnded, computedFrom);
        var identity = order.CompareIdentity(_spec.Order);
        if (identity != 0)
        {
            merged = identity > 0 ? new MergedRow<T>(row, order, isEnded, computedFrom) : this;
            return identity > 0;
        }

        var spec = stamp.IsNewerSpecThan(_spec);
        var liveness = stamp.IsNewerLivenessThan(_liveness);
        merged = new MergedRow<T>(
            spec ? row : Spec, spec ? stamp : _spec, liveness ? row : Liveness, liveness ? stamp : _liveness);
        return spec || liveness;
    }

    /// <summary>
    /// Equal versions of one part can stand in messages that differ in the other; so each part's order goes on with the
    /// others' orders, and two messages are equal in order only when they are the same message.
    /// </summary>
    private readonly record struct Stamp(RowOrder Order, bool IsEnded, long ComputedFrom)
    {
        public bool IsNewerSpecThan(Stamp other) => SpecOrder.CompareTo(other.SpecOrder) > 0;

        public bool IsNewerLivenessThan(Stamp other) => LivenessOrder.CompareTo(other.LivenessOrder) > 0;

        private (long, long, ulong, bool) SpecOrder => (Order.SpecVersion, ComputedFrom, Order.Liveness, IsEnded);

        private (ulong, long, long, bool) LivenessOrder => (Order.Liveness, Order.SpecVersion, ComputedFrom, IsEnded);
    }
}

/// <summary>Begins a <see cref="MergedRow{T}"/> with the first message.</summary>
public static class MergedRow
{
    /// <param name="computedFrom">resourceVersion of the Service spec that an endpoint was computed from: with the same Pod, the newer wins.</param>
    public static MergedRow<T> Of<T>(T row, RowOrder order, bool isEnded, long computedFrom = 0) => new(row, order, isEnded, computedFrom);
}
