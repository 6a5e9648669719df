using Mesh.Grains.Delivery;
using Mesh.Loops;
using Mesh.Storage;

namespace Mesh.Grains.Projections;

/// <summary>What became of one try to write a projection.</summary>
public abstract record ProjectionStep
{
    private ProjectionStep()
    {
    }

    /// <summary>Stored, or nothing differed.</summary>
    public sealed record Written(int Rows) : ProjectionStep;

    /// <summary>Something changed meanwhile: composed again from the newest state.</summary>
    public sealed record Again(string Reason) : ProjectionStep;

    /// <summary>Its namespace or owner ends: nothing is written any more.</summary>
    public sealed record Dropped : ProjectionStep;
}

/// <summary>What one projection writes, always from the newest state.</summary>
public interface IProjected
{
    /// <summary>The store shows something else. Only then is any of the silo's pace spent.</summary>
    ValueTask<bool> DiffersAsync(CancellationToken stop);

    /// <summary>Composes anew and commits.</summary>
    Task<ProjectionStep> WriteAsync(CancellationToken stop);
}

/// <summary>
/// One object that mirrors a grain's state in the store: written at once, then at most once a second, newest state
/// only, repeated until it is stored. For one grain: its loop runs in the grain's turns.
/// </summary>
/// <param name="isWriting">Told when something is to be written, and when nothing is any more: meanwhile only this activation knows what.</param>
public sealed class Projection(
    IProjected projected, ProjectionPace pace, ProcessLoops loops, TimeProvider time, Random random, Action<string> failed, Action<bool>? isWriting = null) : IAsyncDisposable
{
    /// <summary>Between two writes of one object.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>After an exception: what is to be written, nobody else may know of, and whoever knows may mark it no more.</summary>
    public static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _stop = new();
    private readonly Backoff _backoff = new(time, random);
    private Task _loop = Task.CompletedTask;
    private bool _isDirty;
    private bool _isRunning;
    private bool _isBusy; // as was told
    private bool _hasFailed;
    private TaskCompletionSource? _marked; // somebody waits for the next mark

    /// <summary>Something may have changed.</summary>
    public void Mark()
    {
        _isDirty = true;
        _marked?.TrySetResult();
        if (!_isRunning && !_stop.IsCancellationRequested)
        {
            _isRunning = true;
            _loop = loops.RunToEndAsync("projection", RunAsync, _stop.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    /// <summary>After an exception, as about a document that nobody can read, the next mark tries again, and <see cref="TryAgain"/> does.</summary>
    private async Task RunAsync(CancellationToken stop)
    {
        await Task.Yield(); // all that one turn changes goes in one write
        if (_hasFailed && !_isDirty)
        {
            Tell(true);
            _marked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await _marked.Task.WaitAsync(TryAgain, time, stop).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
            (_marked, _isDirty) = (null, true);
        }

        _hasFailed = true;
        await WriteAsync(stop);
        _hasFailed = false;
        Tell(false);
        _isRunning = false; // in the turn that saw that nothing is left: the loop's task completes in a later one
    }

    private async Task WriteAsync(CancellationToken stop)
    {
        while (_isDirty)
        {
            _isDirty = false;
            if (await projected.DiffersAsync(stop))
            {
                Tell(true);
                await pace.TakeAsync(1, stop);
                _isDirty = false; // what changed while it waited is in this write
                await StepAsync();
            }
        }
    }

    private void Tell(bool isBusy)
    {
        if (isBusy != _isBusy)
        {
            _isBusy = isBusy;
            isWriting?.Invoke(isBusy);
        }
    }

    private async Task StepAsync()
    {
        var step = await TryAsync();
        if (step is ProjectionStep.Written { Rows: > 0 } written)
        {
            _backoff.Reset();
            await pace.TakeAsync(written.Rows - 1, _stop.Token);
            await Task.Delay(Period, time, _stop.Token);
        }
        else if (step is ProjectionStep.Again again)
        {
            failed(again.Reason);
            _isDirty = true;
            await _backoff.WaitAsync(_stop.Token);
        }
    }

    private async Task<ProjectionStep> TryAsync()
    {
        try
        {
            return await projected.WriteAsync(_stop.Token);
        }
        catch (Exception silent) when (silent is StoreUnavailableException or CommitOutcomeUnknownException)
        {
            return new ProjectionStep.Again(silent.Message);
        }
    }
}
