using Mesh.Hosting.Files;

namespace Mesh.Hosting.Processes;

/// <summary>A process that holds a lock file. The lock tells who lives; the file with the process's id only helps to name it.</summary>
public sealed record RunningProcess(int Pid, string LockPath)
{
    private const int LooksBetweenLocks = 50;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan DeathTime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Null when nobody holds the lock, or nobody that can be seen from here: no signal goes to a process that does not hold it, nor
    /// to one that holds it where no process of Mesh has written its number.
    /// </summary>
    public static RunningProcess? Find(string lockPath, string pidPath)
    {
        if (!ProcessLock.IsHeld(lockPath))
        {
            return null;
        }

        var recorded = AtomicFile.ReadPid(pidPath);
        var holder = FileLocks.HoldersOf(lockPath) switch
        {
            null => recorded,
            var holders when recorded is { } pid && holders.Contains(pid) => recorded,
            [var only] when recorded is not null => only,
            _ => null,
        };
        return holder is { } found ? new RunningProcess(found, lockPath) : null;
    }

    public bool IsAlive => ProcessLock.IsHeld(LockPath);

    /// <summary>Asks it to drain and end.</summary>
    public void Terminate() => NativeMethods.SendSignal(Pid, NativeMethods.Terminate);

    public void Kill() => NativeMethods.SendSignal(Pid, NativeMethods.Kill);

    /// <summary>Until it is gone, whoever its parent is and whenever that collects it; at the latest when the lock is free.</summary>
    public async Task WaitForExitAsync(TimeProvider time, CancellationToken stop)
    {
        if (!IsAlive || ProcessState.StartOf(Pid) is not { } start)
        {
            return;
        }

        using var look = new PeriodicTimer(LookEvery, time);
        for (var looks = 1; ProcessState.StartOf(Pid) == start && (looks % LooksBetweenLocks != 0 || IsAlive); looks++)
        {
            await look.WaitForNextTickAsync(stop);
        }
    }

    /// <summary>Terminates it, and kills it when it has not ended in time. A process that the kernel does not let go is not waited for.</summary>
    public async Task<ProcessEnd> StopAsync(TimeSpan within, TimeProvider time, CancellationToken hurry)
    {
        Terminate();
        if (await HasEndedAsync(within, time, hurry))
        {
            return ProcessEnd.ByItself;
        }

        Kill();
        return await HasEndedAsync(DeathTime, time, CancellationToken.None) ? ProcessEnd.Killed : ProcessEnd.None;
    }

    private async Task<bool> HasEndedAsync(TimeSpan within, TimeProvider time, CancellationToken hurry)
    {
        using var late = new CancellationTokenSource(within, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(hurry, late.Token);
        try
        {
            await WaitForExitAsync(time, limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}

/// <summary>How a process ended that was asked to.</summary>
public enum ProcessEnd
{
    /// <summary>It is still there, though it was killed: in a call of the kernel that does not return.</summary>
    None,
    ByItself,
    Killed,
}
