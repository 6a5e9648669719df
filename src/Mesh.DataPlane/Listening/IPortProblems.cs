using Mesh.Core.Names;

namespace Mesh.DataPlane.Listening;

/// <summary>Told when a port that should be served cannot be listened on; the host makes Events of it.</summary>
public interface IPortProblems
{
    /// <summary>Once per problem, not per retry. <paramref name="service"/> is null for a listener of the node's own.</summary>
    void Report(NamespacedName? service, PortProblem problem);

    /// <summary>
    /// The port is listened on again, or no longer wanted, on every address of the problem; or it has another cause, which is a
    /// problem of its own. It is the very object that was reported: an address may be of a new problem while others are of an old one.
    /// </summary>
    void Solved(PortProblem problem);
}
