namespace Mesh.Core.Pods;

/// <summary>Words in a node's reports of its Pods that the control plane acts on; all others it only shows.</summary>
public static class PodReasons
{
    /// <summary>Not ready because its readiness probe, or without one its ports, failed (the word of the kubelet's Event).</summary>
    public const string Unhealthy = "Unhealthy";

    /// <summary>Not ready because nobody listens where a Pod applied as a manifest says: the process that it stands for does not run (yet).</summary>
    public const string ProcessAwaited = "ProcessAwaited";

    /// <summary>Ended because somebody asked for it, by the API or at the node.</summary>
    public const string Deleted = "Deleted";

    /// <summary>Ended for a new Pod of its name on the same node.</summary>
    public const string Replaced = "Replaced";
}
