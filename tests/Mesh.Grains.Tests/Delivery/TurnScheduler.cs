namespace Mesh.Grains.Tests.Delivery;

/// <summary>Runs tasks one at a time on the thread that asks, as a grain's turns run: with it, time and chance alone decide.</summary>
internal sealed class TurnScheduler : TaskScheduler
{
    private readonly Queue<Task> _turns = new();

    public void Run(Action turn)
    {
        _ = Task.Factory.StartNew(turn, CancellationToken.None, TaskCreationOptions.None, this);
        RunAll();
    }

    public void RunAll()
    {
        while (_turns.TryDequeue(out var turn))
        {
            TryExecuteTask(turn);
        }
    }

    protected override void QueueTask(Task task) => _turns.Enqueue(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _turns;
}
