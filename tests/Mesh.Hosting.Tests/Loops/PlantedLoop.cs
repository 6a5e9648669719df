using Mesh.Loops;

namespace Mesh.Hosting.Tests.Loops;

/// <summary>A loop whose runs end as the test says, in the test's own thread.</summary>
#pragma warning disable CA1001 // A source of cancellation without a timer holds nothing.
internal sealed class PlantedLoop(ProcessLoops loops, string name = "planted")
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _run = new();

    /// <summary>How often it was begun.</summary>
    public int Runs { get; private set; }

    public Task Task { get; private set; } = Task.CompletedTask;

    public PlantedLoop Start()
    {
        Task = loops.RunAsync(name, RunAsync, _stop.Token);
        return this;
    }

    public PlantedLoop StartToEnd()
    {
        Task = loops.RunToEndAsync(name, RunAsync, _stop.Token);
        return this;
    }

    public PlantedLoop StartOrEndProcess(Action<string> endProcess)
    {
        Task = loops.RunOrEndProcessAsync(name, RunAsync, endProcess, _stop.Token);
        return this;
    }

    public void Fail(Exception failure) => Take().SetException(failure);

    public void Return() => Take().SetResult();

    public void Stop() => _stop.Cancel();

    private TaskCompletionSource Take()
    {
        var run = _run;
        _run = new TaskCompletionSource();
        return run;
    }

    private Task RunAsync(CancellationToken stop)
    {
        Runs++;
        return _run.Task.WaitAsync(stop);
    }
}
