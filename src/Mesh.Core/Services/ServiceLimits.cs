namespace Mesh.Core.Services;

/// <summary>What a Service may ask for at most.</summary>
public static class ServiceLimits
{
    /// <summary>
    /// Ports of a Service of type NodePort or LoadBalancer. Each is a row, and one more at its address: all of them must fit
    /// into one commit, twice when all are replaced. Kubernetes sets no limit of its own; the size of an object does there.
    /// </summary>
    public const int MostExternalPorts = 200;
}
