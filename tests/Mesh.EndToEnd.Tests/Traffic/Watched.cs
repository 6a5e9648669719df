using System.Collections.Concurrent;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>Something that is done over and over while a test disturbs the machine: how often it worked, and how it failed.</summary>
internal sealed class Watched(string what)
{
    // Often enough that whatever cuts something is in the way of an attempt; all of a processor would be taken from what is disturbed.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentQueue<string> _failures = new();
    private long _done;
    private long _lastDone = System.Diagnostics.Stopwatch.GetTimestamp();

    public string What => what;

    public long Done => Interlocked.Read(ref _done);

    public IReadOnlyCollection<string> Failures => [.. _failures.Select(failure => $"{what}: {failure}")];

    /// <summary>Longest time without a success, until the last attempt.</summary>
    public TimeSpan LongestGap { get; private set; }

    /// <summary>Repeats until stopped, at most two hundred times a second.</summary>
    public async Task RepeatAsync(Func<CancellationToken, Task> attempt, CancellationToken stop)
    {
        using var pace = new PeriodicTimer(Pace);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await attempt(stop);
                Succeeded();
                await pace.WaitForNextTickAsync(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // The end.
            }
            catch (Exception failure) when (failure is not Xunit.Sdk.XunitException and not OutOfMemoryException)
            {
                Failed($"{failure.GetType().Name}: {failure.Message}");
            }
        }

        EndGap();
    }

    public void Succeeded()
    {
        Interlocked.Increment(ref _done);
        EndGap();
    }

    public void Failed(string how)
    {
        if (_failures.Count < 20)
        {
            _failures.Enqueue(how);
        }
    }

    private void EndGap()
    {
        var now = System.Diagnostics.Stopwatch.GetTimestamp();
        var gap = System.Diagnostics.Stopwatch.GetElapsedTime(_lastDone, now);
        _lastDone = now;
        LongestGap = gap > LongestGap ? gap : LongestGap;
    }
}
