using System.Runtime.CompilerServices;

namespace Mesh.Client;

/// <summary>The state of one registration and those who watch it: the newest state, never a backlog.</summary>
internal sealed class PodStateBoard
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MeshPodState _state = MeshPodState.Unregistered;

    public PodStateBoard() => ClientMetrics.Began(this);

    public MeshPodState Current
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>Terminated is final, and a Pod that drains does not become ready again.</summary>
    public void Set(MeshPodState state)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            var drains = _state == MeshPodState.Draining && state is MeshPodState.Ready or MeshPodState.NotReady;
            if (_state == state || _state == MeshPodState.Terminated || drains)
            {
                return;
            }

            _state = state;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (state == MeshPodState.Terminated)
        {
            ClientMetrics.Ended(this);
        }

        changed.TrySetResult();
    }

    public async IAsyncEnumerable<MeshPodState> WatchAsync([EnumeratorCancellation] CancellationToken stop)
    {
        MeshPodState state;
        do
        {
            Task changed;
            lock (_lock)
            {
                (state, changed) = (_state, _changed.Task);
            }

            yield return state;
            if (state != MeshPodState.Terminated)
            {
                await changed.WaitAsync(stop);
            }
        }
        while (state != MeshPodState.Terminated);
    }
}
