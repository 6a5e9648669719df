using System.Net;

namespace Mesh.Client;

/// <summary>
/// This process as a Pod: who it is, what it is told, and what it may change. Made by the SDK alone: later versions add members.
/// </summary>
public interface IMeshRegistration
{
    /// <summary>False while Mesh is switched off (<see cref="MeshOptions.Enabled"/>): there is no Pod and none comes, and every call does nothing.</summary>
    bool IsEnabled { get; }

    /// <summary>
    /// The Pod that this process is; null until the node has answered for the first time. Without a Pod, as after its deletion and
    /// until the node has made another, it is the one that this process was last: <see cref="State"/> says which of the two.
    /// </summary>
    PodIdentity? Identity { get; }

    /// <summary>Name and number of each port that the Pod is registered with; empty until there is an <see cref="Identity"/>.</summary>
    IReadOnlyDictionary<string, int> Ports { get; }

    MeshPodState State { get; }

    /// <summary>
    /// Completes when the node has answered for the first time, with the Pod that it made. A node that never comes never completes
    /// it: give <c>WaitAsync</c> a limit. Canceled when the registration was ended before.
    /// </summary>
    /// <exception cref="InvalidOperationException">Of the task, at once: Mesh is switched off. Ask <see cref="IsEnabled"/> first.</exception>
    Task<PodIdentity> Registered { get; }

    /// <summary>Why the last attempt to register failed or was refused; null while there is a stream, or none was tried.</summary>
    string? LastFailure { get; }

    /// <summary>
    /// Whether the Pod takes traffic. A change to not ready completes when this machine routes elsewhere. While detached the
    /// wish is kept and told on return. Never throws for a node that is away. The reason is shown as the Pod's annotation
    /// <c>mesh.internal/readiness</c>.
    /// </summary>
    ValueTask SetReadyAsync(bool ready, string? reason = null, CancellationToken stop = default);

    /// <summary>Adds, replaces and (with null) removes labels and annotations. Kept and told on return while the node is away.</summary>
    /// <exception cref="ArgumentException">A key or value that Kubernetes does not allow; nothing is changed.</exception>
    ValueTask PatchMetadataAsync(Action<PodMetadataPatch> patch, CancellationToken stop = default);

    /// <summary>A condition of the application's own: until the result is disposed, the Pod is not ready.</summary>
    IDisposable AddReadinessGate(string conditionType);

    /// <summary>The state now, then each change; a slow reader sees the newest.</summary>
    IAsyncEnumerable<MeshPodState> WatchStateAsync(CancellationToken stop = default);
}

/// <summary>A registration whose owner ends it: disposing it ends the Pod.</summary>
public interface IMeshPod : IMeshRegistration, IAsyncDisposable
{
    /// <summary>
    /// Completes when the Pod was deleted through the API and <see cref="MeshOptions.WhenDeleted"/> is <see cref="MeshDeletion.Stop"/>:
    /// there is no host that could be stopped, so whoever waits for this ends the process. Canceled when the registration is disposed.
    /// </summary>
    Task StopRequested { get; }
}

/// <summary>The Pod that the node made of this process.</summary>
public sealed record PodIdentity
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>Of this Pod alone: another Pod of the same name has another.</summary>
    public required string Uid { get; init; }

    /// <summary>The machine's name in the cluster.</summary>
    public required string Node { get; init; }

    public required IPAddress Address { get; init; }
}

/// <summary>A Service as this machine serves it.</summary>
internal sealed record MeshService(string Namespace, string Name, string ClusterIP, int Port)
{
    public override string ToString() => $"Service {Namespace}/{Name} ({ClusterIP}:{Port})";
}

/// <summary>What becomes of a process whose Pod was deleted through the API.</summary>
public enum MeshDeletion
{
    /// <summary>It runs on and takes no traffic through Mesh any more.</summary>
    Stay,

    /// <summary>
    /// Its host stops, as a container would: whoever supervises the process starts it again. Without a host
    /// <see cref="IMeshPod.StopRequested"/> says so to the owner.
    /// </summary>
    Stop,

    /// <summary>It registers again, as another Pod with a uid of its own.</summary>
    Register,
}

/// <summary>Labels and annotations to change; a null value removes.</summary>
public sealed class PodMetadataPatch
{
    public IDictionary<string, string?> Labels { get; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    public IDictionary<string, string?> Annotations { get; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>What the node would refuse, each in one sentence.</summary>
    internal IEnumerable<string> Problems() => MetadataRules.LabelProblems("labels", Labels).Concat(MetadataRules.AnnotationProblems("annotations", Annotations));
}

public enum MeshPodState
{
    /// <summary>There is no Pod: the node has not answered yet, or has yet to make another after the last one's end.</summary>
    Unregistered,
    NotReady,
    Ready,

    /// <summary>Leaving: takes no new traffic.</summary>
    Draining,

    /// <summary>Ended here, or deleted through the API.</summary>
    Terminated,

    /// <summary>Was registered; the node is away, and is tried again.</summary>
    Detached,
}
