namespace Mesh.Hosting.Files;

/// <summary>A process whose data directory vanishes ends itself: nobody could find it again, and nothing it keeps would last.</summary>
public static class DataDirectoryWatch
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>True once <paramref name="pidFile"/> is gone or another process's; false when stopped before.</summary>
    public static async Task<bool> UntilVanishedAsync(string pidFile, TimeProvider time, CancellationToken stop)
    {
        using var tick = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await tick.WaitForNextTickAsync(stop))
            {
                if (HasVanished(pidFile))
                {
                    return true;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }

        return false;
    }

    /// <summary>
    /// Gone, or another's: made anew. A file that is there and cannot be read tells nothing: a process without a free
    /// descriptor must not take its directory for lost.
    /// </summary>
    public static bool HasVanished(string pidFile) =>
        !File.Exists(pidFile) || (AtomicFile.ReadPid(pidFile) is { } pid && pid != Environment.ProcessId);
}
