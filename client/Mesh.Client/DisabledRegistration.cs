using System.Runtime.CompilerServices;

namespace Mesh.Client;

/// <summary>What an application gets while Mesh is switched off: no Pod, and every call does nothing.</summary>
internal sealed class DisabledRegistration : IMeshPod, IDisposable
{
    private readonly TaskCompletionSource _stopRequested = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsEnabled => false;

    public PodIdentity? Identity => null;

    public IReadOnlyDictionary<string, int> Ports { get; } = new Dictionary<string, int>();

    public Task<PodIdentity> Registered { get; } = Observed(Task.FromException<PodIdentity>(new InvalidOperationException(
        "Mesh is switched off (Mesh:Enabled, MESH_ENABLED), so this process becomes no Pod: switch it on, or ask IMeshRegistration.IsEnabled before Registered.")));

    public Task StopRequested => _stopRequested.Task;

    public string? LastFailure => null;

    public MeshPodState State => MeshPodState.Unregistered;

    public ValueTask SetReadyAsync(bool ready, string? reason = null, CancellationToken stop = default) => ValueTask.CompletedTask;

    public ValueTask PatchMetadataAsync(Action<PodMetadataPatch> patch, CancellationToken stop = default) => ValueTask.CompletedTask;

    public IDisposable AddReadinessGate(string conditionType) => new Gate();

    /// <summary>The one state; a reader waits for another until it gives up, as it would for a node that never comes.</summary>
    public async IAsyncEnumerable<MeshPodState> WatchStateAsync([EnumeratorCancellation] CancellationToken stop = default)
    {
        yield return State;
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
    }

    /// <summary>A container of services that a test disposes of without waiting refuses what can only be waited for.</summary>
    public void Dispose() => _stopRequested.TrySetCanceled(CancellationToken.None);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Nobody need ask: a fault that nobody saw is told to the process as one that was forgotten.</summary>
    private static Task<PodIdentity> Observed(Task<PodIdentity> faulted)
    {
        _ = faulted.Exception;
        return faulted;
    }

    private sealed class Gate : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
