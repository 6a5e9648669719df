using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Placement;

/// <summary>Places a grain on any silo, all equally likely.</summary>
[GenerateSerializer, Alias("mesh.AnySiloPlacement")]
public sealed class AnySiloPlacement : PlacementStrategy
{
    public static AnySiloPlacement Instance { get; } = new();
}

/// <summary>Marks a grain class that may live anywhere, and whose instances should not all live together.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class AnySiloPlacementAttribute() : PlacementAttribute(AnySiloPlacement.Instance);

/// <summary>
/// As Orleans' own random placement, but for a silo that ends and is the only one: a grain with calls waiting is then
/// asked to move, and stays where it is. Orleans' own throws, which is logged as an error with its stack.
/// </summary>
public sealed class AnySiloDirector(Random random) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        try
        {
            var silos = context.GetCompatibleSilos(target);
            return Task.FromResult(silos[random.Next(silos.Length)]);
        }
        catch (OrleansException) when (context.LocalSiloStatus.IsTerminating())
        {
            return Task.FromResult(context.LocalSilo);
        }
    }
}
