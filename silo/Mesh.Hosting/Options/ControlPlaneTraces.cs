namespace Mesh.Hosting.Options;

/// <summary>Which traces the control plane begins. One that a sampled request brings along is always followed.</summary>
public enum ControlPlaneTraces
{
    None,

    /// <summary>One for each request of the Kubernetes API, with the grain calls below it.</summary>
    Requests,

    /// <summary>Also for what the grains do by themselves, which never ends.</summary>
    All,
}
