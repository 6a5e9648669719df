namespace Mesh.Agent.Pods;

/// <summary>Tasks that outlive the call which began them; their owner awaits them all when it stops.</summary>
internal sealed class OwnedTasks
{
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    public void Begin(Func<Task> begin)
    {
        var task = begin();
        lock (_gate)
        {
            _running.RemoveWhere(done => done.IsCompleted);
            _running.Add(task);
        }
    }

    public async Task FinishAsync()
    {
        Task[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
