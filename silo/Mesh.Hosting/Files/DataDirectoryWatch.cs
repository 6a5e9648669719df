namespace Mesh.Hosting.Files;

/// <summary>
/// A process whose data directory vanishes ends itself: nobody could find it again, and nothing it keeps would last. What
/// tells is the file of its lock, which it holds open: with that one gone, the next process would take the directory for
/// free. A file of the process's id that somebody tidied away is written again.
/// </summary>
/// <param name="lockFile">That this process has locked.</param>
public sealed class DataDirectoryWatch(string lockFile, string pidFile)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly ulong? _held = FileStatus.Number(lockFile);

    /// <summary>True once the file of the lock is gone or another; false when stopped before.</summary>
    public static async Task<bool> UntilVanishedAsync(string lockFile, string pidFile, TimeProvider time, CancellationToken stop)
    {
        var watch = new DataDirectoryWatch(lockFile, pidFile);
        using var tick = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await tick.WaitForNextTickAsync(stop))
            {
                if (watch.HasVanished())
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

    /// <summary>One look, which needs no free descriptor: a process without one must not take its directory for lost.</summary>
    public bool HasVanished()
    {
        try
        {
            if (FileStatus.Number(lockFile) is not { } there || there != _held)
            {
                return true;
            }

            if (!File.Exists(pidFile))
            {
                AtomicFile.WritePid(pidFile);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            // Nothing is known, or the disk is full, or no descriptor is free: the next look tries again.
        }

        return false;
    }
}
