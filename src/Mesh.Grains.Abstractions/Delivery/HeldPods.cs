namespace Mesh.Grains.Abstractions.Delivery;

/// <summary>What a registry's rows say that one node holds, to be compared with the node's own.</summary>
[GenerateSerializer, Immutable, Alias("mesh.HeldPodsDigest")]
public sealed record HeldPodsDigest(
    [property: Id(0)] ulong Hash,
    [property: Id(1)] int Count);
