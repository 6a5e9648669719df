using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Gateways;

/// <summary>
/// Places a grain on the silo that its key names, without the grain directory: losing another silo's part of the
/// directory cannot end it, and it dies with its silo.
/// </summary>
[GenerateSerializer, Alias("mesh.LinkedSiloPlacement")]
public sealed class LinkedSiloPlacement : PlacementStrategy
{
    public static LinkedSiloPlacement Instance { get; } = new();

    public override bool IsUsingGrainDirectory => false;
}

/// <summary>Marks the grain class whose key begins with the address of the silo where it lives.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LinkedSiloPlacementAttribute() : PlacementAttribute(LinkedSiloPlacement.Instance);

/// <summary>Refuses at once when the silo is gone: the sender forgets that subscription.</summary>
internal sealed class LinkedSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var text = target.GrainIdentity.Key.ToString();
        if (!GatewayKey.TryParse(text, out var key))
        {
            throw new OrleansException($"'{text}' is not the key of a gateway.");
        }

        return context.GetCompatibleSilos(target).Contains(key.Silo)
            ? Task.FromResult(key.Silo)
            : throw new OrleansException($"The silo of the link {text} is gone.");
    }
}
