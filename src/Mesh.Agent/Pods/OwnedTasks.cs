using Mesh.Loops;

namespace Mesh.Agent.Pods;

/// <summary>Tasks that outlive the call which began them; their owner awaits them all when it stops. One that throws is done again.</summary>
internal sealed class OwnedTasks(ProcessLoops loops)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    /// <param name="name">As logs and <c>/readyz</c> call it.</param>
    /// <param name="work">What may be done twice.</param>
    public void Begin(string name, Func<CancellationToken, Task> work, CancellationToken stop)
    {
        var task = loops.RunToEndAsync(name, work, stop);
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

        await Task.WhenAll(running);
    }
}
