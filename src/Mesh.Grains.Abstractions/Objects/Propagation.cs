using System.Collections.Immutable;

namespace Mesh.Grains.Abstractions.Objects;

/// <summary>What becomes of an object's dependents when it is deleted (DeleteOptions.propagationPolicy).</summary>
[GenerateSerializer]
public enum Propagation
{
    /// <summary>Not said: what the object's finalizers say, else Background.</summary>
    Default,

    /// <summary>The object goes at once, its dependents after it.</summary>
    Background,

    /// <summary>The object waits for its dependents that block it.</summary>
    Foreground,

    /// <summary>The dependents stay, and forget their owner.</summary>
    Orphan,
}

/// <summary>The finalizers by which the Keeper knows what to do for an object that is being deleted.</summary>
public static class PropagationFinalizers
{
    public const string Foreground = "foregroundDeletion";

    public const string Orphan = "orphan";

    /// <summary>The finalizers of an object whose deletion begins, or is asked for once more in another way.</summary>
    public static ImmutableArray<string> Of(IEnumerable<string> finalizers, Propagation propagation)
    {
        var own = propagation == Propagation.Default ? finalizers : finalizers.Where(finalizer => finalizer is not (Foreground or Orphan));
        return propagation switch
        {
            Propagation.Foreground => [.. own, Foreground],
            Propagation.Orphan => [.. own, Orphan],
            _ => [.. own],
        };
    }
}
