using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink;

/// <summary>Each start of a node is numbered above every earlier one, also when its journal was lost or is an old copy.</summary>
public static class IncarnationRule
{
    /// <summary>Both ends of the link decide by this alone, so they always agree.</summary>
    /// <param name="known">The greatest incarnation that the node was ever known by.</param>
    public static bool IsOutnumbered(Hello hello, uint known) =>
        // A start that its journal vouches for is itself the one that is known by the same number.
        known > hello.Incarnation || (hello.Provisional && known == hello.Incarnation);
}
