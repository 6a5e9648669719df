using Mesh.Hosting.Files;

namespace Mesh.Hosting.Processes;

/// <summary>A process that holds a lock file, found by its pid file.</summary>
public sealed record RunningProcess(int Pid, string LockPath)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Null when nobody holds the lock.</summary>
    public static RunningProcess? Find(string lockPath, string pidPath) =>
        ProcessLock.IsHeld(lockPath) && AtomicFile.ReadPid(pidPath) is { } pid ? new RunningProcess(pid, lockPath) : null;

    public bool IsAlive => ProcessLock.IsHeld(LockPath);

    /// <summary>Asks it to drain and end.</summary>
    public void Terminate() => NativeMethods.SendSignal(Pid, NativeMethods.Terminate);

    public void Kill() => NativeMethods.SendSignal(Pid, NativeMethods.Kill);

    /// <summary>Until it is gone, whoever its parent is and whenever that collects it.</summary>
    public async Task WaitForExitAsync(TimeProvider time, CancellationToken stop)
    {
        if (!IsAlive || ProcessState.StartOf(Pid) is not { } start)
        {
            return;
        }

        using var look = new PeriodicTimer(LookEvery, time);
        while (ProcessState.StartOf(Pid) == start)
        {
            await look.WaitForNextTickAsync(stop);
        }
    }

    /// <summary>Terminates it, and kills it when it has not ended in time. Whether it ended by itself.</summary>
    public async Task<bool> StopAsync(TimeSpan within, TimeProvider time, CancellationToken hurry)
    {
        Terminate();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(hurry);
        limit.CancelAfter(within);
        try
        {
            await WaitForExitAsync(time, limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            Kill();
            await WaitForExitAsync(time, CancellationToken.None);
            return false;
        }
    }
}
