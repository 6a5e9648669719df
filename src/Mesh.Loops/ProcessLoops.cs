using Microsoft.Extensions.Logging;

namespace Mesh.Loops;

/// <summary>
/// The background loops of one process. A loop that ends though nobody stopped it is logged and counted, runs again after a
/// pause or ends the process, and is named in <c>/readyz</c> while it is down or keeps failing. Whoever starts a loop stops
/// it by its token and awaits the task, which never fails; a loop that is started in a grain's turn runs in that grain's turns.
/// </summary>
public sealed class ProcessLoops(TimeProvider time, ILogger<ProcessLoops> log)
{
    private readonly Lock _gate = new();
    private readonly ToldSeldomOfEach<string> _ends = new(time);
    private readonly HashSet<LoopRun> _failing = [];

    /// <summary>The loops that are down or keep failing, as a sentence for <c>/readyz</c>; null when there are none.</summary>
    public string? WhyNotReady()
    {
        lock (_gate)
        {
            _failing.RemoveWhere(run => run.IsSettled(time));
            var failing = _failing.Where(run => run.IsInTrouble).GroupBy(run => run.Name, StringComparer.Ordinal).OrderBy(same => same.Key, StringComparer.Ordinal).ToList();
            return failing.Count == 0 ? null : string.Join("; ", failing.Select(static same => Sentence(same.Key, [.. same])));
        }
    }

    /// <summary>Runs the loop until it is stopped. When it returns or throws before, it runs again after a pause: it must find whole what it left.</summary>
    /// <param name="name">One of few: log, <c>/readyz</c> and metric tell loops of one name together.</param>
    public Task RunAsync(string name, Func<CancellationToken, Task> loop, CancellationToken stop) => RunAsync(new LoopRun(name), loop, null, stop);

    /// <summary>
    /// Runs until nothing is left to do, which is when it returns; when it throws, it runs again after a pause. Whoever gives it more
    /// to do later must not go by the task: it completes a moment after the work has looked for the last time.
    /// </summary>
    /// <param name="name"><inheritdoc cref="RunAsync(string, Func{CancellationToken, Task}, CancellationToken)" path="/param[@name='name']"/></param>
    public Task RunToEndAsync(string name, Func<CancellationToken, Task> work, CancellationToken stop) =>
        RunAsync(new LoopRun(name) { MayReturn = true }, work, null, stop);

    /// <summary>Runs a loop whose state cannot be made anew in this process: when it ends before it is stopped, the process is to end.</summary>
    /// <param name="name"><inheritdoc cref="RunAsync(string, Func{CancellationToken, Task}, CancellationToken)" path="/param[@name='name']"/></param>
    /// <param name="endProcess">Given the one line that says why.</param>
    public Task RunOrEndProcessAsync(string name, Func<CancellationToken, Task> loop, Action<string> endProcess, CancellationToken stop) =>
        RunAsync(new LoopRun(name), loop, endProcess, stop);

    /// <summary>A loop that blocks its thread, and so has one of its own.</summary>
    public static Func<CancellationToken, Task> OnThread(Action<CancellationToken> loop) =>
        stop => Task.Factory.StartNew(() => loop(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task RunAsync(LoopRun run, Func<CancellationToken, Task> loop, Action<string>? endProcess, CancellationToken stop)
    {
        while (true)
        {
            Exception? failure = null;
            try
            {
                Begin(run);
                await loop(stop);
                if (run.MayReturn)
                {
                    Forget(run);
                    return;
                }
            }
#pragma warning disable CA1031 // The boundary of every loop: whatever ended it is told here, or is the end that was asked for.
            catch (Exception ended)
#pragma warning restore CA1031
            {
                failure = ended;
            }

            if (stop.IsCancellationRequested)
            {
                if (failure is not (null or OperationCanceledException))
                {
                    log.LoopFailedAtStop(run.Name, LoopRun.Why(failure));
                }

                Forget(run);
                return;
            }

            if (endProcess is not null)
            {
                EndProcess(run, failure, endProcess);
                return;
            }

            var pause = End(run, failure);
            await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                Forget(run);
                return;
            }
        }
    }

    private void Begin(LoopRun run)
    {
        if (!run.HasEnded)
        {
            run.Begin(time); // nobody else sees it yet: work that is begun often takes no lock
            return;
        }

        lock (_gate)
        {
            run.Begin(time);
        }
    }

    /// <summary>Notes that it is down, and for how long.</summary>
    private TimeSpan End(LoopRun run, Exception? failure)
    {
        LoopsMetrics.Ended(run.Name);
        int untold;
        TimeSpan pause;
        lock (_gate)
        {
            pause = run.End(time, failure);
            _failing.Add(run);
            untold = _ends.Count(run.Name);
        }

        if (untold > 0)
        {
            log.LoopEnded(run.Name, LoopRun.Why(failure), pause.TotalMilliseconds, untold, failure);
        }

        return pause;
    }

    /// <summary>It stays down, and <c>/readyz</c> says so for as long as the process still lives.</summary>
    private void EndProcess(LoopRun run, Exception? failure, Action<string> endProcess)
    {
        LoopsMetrics.Ended(run.Name);
        lock (_gate)
        {
            run.End(time, failure);
            _failing.Add(run);
        }

        log.LoopEndsProcess(run.Name, LoopRun.Why(failure), failure);
        endProcess($"its loop '{run.Name}' ended unexpectedly: {LoopRun.Why(failure)}");
    }

    private void Forget(LoopRun run)
    {
        if (run.HasEnded)
        {
            lock (_gate)
            {
                _failing.Remove(run);
            }
        }
    }

    /// <summary>Without the exception's own words: nobody is asked for a token at <c>/readyz</c>.</summary>
    private static string Sentence(string name, IReadOnlyList<LoopRun> failing) => failing.Count == 1
        ? $"the loop '{name}' {failing[0].Trouble}; the log says why"
        : $"{failing.Count} loops '{name}' are down or keep failing; the log says why";
}
