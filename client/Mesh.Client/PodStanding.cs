using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>What this process knows of its Pod: who it is, its state, why it has none; and the log line of each change.</summary>
internal sealed class PodStanding(string node, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<PodIdentity> _registered = NewAnswer();
    private readonly TaskCompletionSource<string> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _made = time.GetTimestamp();
    private volatile PodIdentity? _pod;
    private volatile PodIdentity? _identity;
    private long? _warned;

    public PodStateBoard State { get; } = new();

    /// <summary>Null while there is no Pod that a stream could be taken up of.</summary>
    public PodIdentity? Pod => _pod;

    /// <summary>The same, or the last there was: who asks for a name to write it down gets one.</summary>
    public PodIdentity? Identity => _identity;

    public string? LastFailure { get; private set; }

    public Task<PodIdentity> Registered => _registered.Task;

    /// <summary>Completes with the node's reason when it first refuses what it would refuse again.</summary>
    public Task<string> Refused => _refused.Task;

    /// <summary>This process is that Pod.</summary>
    public void Is(PodIdentity pod) => _pod = _identity = pod;

    /// <summary>The Pod has ended, or is another's.</summary>
    public void IsNone() => _pod = null;

    /// <summary>It never was one that others knew of.</summary>
    public void WasNone() => _pod = _identity = null;

    public static TaskCompletionSource<PodIdentity> NewAnswer() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The first line of a stream shows this Pod; who sees the state, or waited for the first answer, sees all of it.</summary>
    public void Opened(PodIdentity pod, PodIdentity? before, MeshPodState state)
    {
        LastFailure = null;
        if (!_registered.Task.IsCompleted)
        {
            ClientMetrics.Registered(time.GetElapsedTime(_made));
            log.Registered(pod.Namespace, pod.Name, pod.Address);
        }
        else if (before?.Uid == pod.Uid)
        {
            ClientMetrics.Resumed();
            log.StreamResumed(pod.Namespace, pod.Name);
        }
        else
        {
            ClientMetrics.Replaced();
            log.RegisteredAgain(pod.Namespace, pod.Name, pod.Address);
        }

        State.Set(state);
        _registered.TrySetResult(pod);
    }

    public void Detach(string reason)
    {
        LastFailure = reason;
        State.Set(_pod is null ? MeshPodState.Unregistered : MeshPodState.Detached);
        if (_warned is not { } warned || time.GetElapsedTime(warned) >= WarnEvery)
        {
            _warned = time.GetTimestamp();
            log.Detached(node, reason);
        }
    }

    /// <summary>The Pod would be refused again, until the node or the options are others.</summary>
    public void Refuse(string reason) => _refused.TrySetResult(reason.TrimEnd('.'));

    public void End()
    {
        _refused.TrySetCanceled(CancellationToken.None);
        _registered.TrySetCanceled(CancellationToken.None);
        State.Set(MeshPodState.Terminated);
    }
}
