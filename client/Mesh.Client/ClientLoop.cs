using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>
/// The boundary of each background loop of the SDK: an exception that nobody thought of is an Error line (then one a minute) and a
/// count, and the loop runs again after a pause, so it must find whole what it left. The application never meets the exception.
/// </summary>
internal static class ClientLoop
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(1);

    /// <summary>A loop that ran for so long is well again: its next end is a first one.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    /// <summary>Runs the loop until it returns, or is stopped; completes then, and never throws.</summary>
    /// <param name="name">One of few.</param>
    public static async Task RunAsync(string name, Func<CancellationToken, Task> loop, TimeProvider time, ILogger log, CancellationToken stop)
    {
        var (pause, untold) = (FirstPause, 0);
        long? told = null;
        while (true)
        {
            var began = time.GetTimestamp();
            Exception failure;
            try
            {
                await loop(stop);
                return;
            }
#pragma warning disable CA1031 // The boundary: whatever ended it is told here, or is the end that was asked for.
            catch (Exception ended)
#pragma warning restore CA1031
            {
                failure = ended;
            }

            if (stop.IsCancellationRequested)
            {
                return;
            }

            pause = time.GetElapsedTime(began) >= Settled ? FirstPause : pause;
            Count(name);
            untold++;
            if (told is not { } last || time.GetElapsedTime(last) >= ToldEvery)
            {
                Tell(log, name, pause, untold, failure);
                (told, untold) = (time.GetTimestamp(), 0);
            }

            await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = RetryDelay.Doubled(pause, LongestPause);
            if (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private static void Count(string name)
    {
        try
        {
            ClientMetrics.LoopEnded(name);
        }
#pragma warning disable CA1031 // The application's own listener of metrics.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The line tells it.
        }
    }

    private static void Tell(ILogger log, string name, TimeSpan pause, int times, Exception failure)
    {
        try
        {
            log.LoopEnded(failure, name, pause.TotalMilliseconds, times);
        }
#pragma warning disable CA1031 // The application's own logging, which may be what ended the loop: nobody is left to be told.
        catch (Exception)
#pragma warning restore CA1031
        {
            // It is counted.
        }
    }
}
