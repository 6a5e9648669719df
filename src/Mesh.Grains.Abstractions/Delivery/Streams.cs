namespace Mesh.Grains.Abstractions.Delivery;

/// <summary>
/// Names one subscription. The receiver chooses it and follows only its newest: anything else is answered
/// <see cref="DeliveryAck.Gone"/>, and its sender forgets that subscription only.
/// </summary>
/// <param name="Receiver">The receiver's activation id.</param>
/// <param name="Number">Counted up by the receiver with each Subscribe.</param>
[GenerateSerializer, Immutable, Alias("mesh.StreamName")]
public readonly record struct StreamName([property: Id(0)] string Receiver, [property: Id(1)] long Number);

/// <summary>What a receiver says of a delivered message.</summary>
[GenerateSerializer]
public enum DeliveryAck
{
    Ok,

    /// <summary>Not my newest subscription: forget it.</summary>
    Gone,

    /// <summary>A gap, or this overtook the answer to Subscribe: send the full set next.</summary>
    Resync,
}

/// <summary>One message of a hop. <paramref name="From"/> is the position before it, <paramref name="To"/> after; a full set starts anywhere.</summary>
/// <param name="Publisher">The publisher's activation id, as the answer to Subscribe told it.</param>
/// <param name="ObjectUid">The Service object that the rows are for; rows for another are answered Gone.</param>
/// <param name="SpecVersion">resourceVersion of the Service spec that the rows were computed from.</param>
[GenerateSerializer, Immutable, Alias("mesh.Delta`1")]
public sealed record Delta<TRow>(
    [property: Id(0)] StreamName Stream,
    [property: Id(1)] string Publisher,
    [property: Id(2)] long From,
    [property: Id(3)] long To,
    [property: Id(4)] bool IsFull,
    [property: Id(5)] bool IsSynced,
    [property: Id(6)] string ObjectUid,
    [property: Id(7)] long SpecVersion,
    [property: Id(8)] TRow[] Rows);

/// <summary>The receiver's periodic word that it still follows, with its position.</summary>
[GenerateSerializer, Immutable, Alias("mesh.Renewal")]
public sealed record Renewal(
    [property: Id(0)] StreamName Stream,
    [property: Id(1)] string Publisher,
    [property: Id(2)] long Position,
    [property: Id(3)] string ObjectUid);

/// <summary>Resync: subscribe again (another activation, an unknown stream or another object lives here).</summary>
[GenerateSerializer]
public enum RenewalAck
{
    Ok,
    Resync,
}
