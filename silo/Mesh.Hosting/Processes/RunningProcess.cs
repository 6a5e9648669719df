using System.Diagnostics;
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

    /// <summary>Until it is gone, whoever its parent is.</summary>
    public async Task WaitForExitAsync(TimeProvider time, CancellationToken stop)
    {
        try
        {
            // For a child this is the kernel's word; for another's child .NET looks every few milliseconds.
            using var process = Process.GetProcessById(Pid);
            await process.WaitForExitAsync(stop);
        }
        catch (ArgumentException)
        {
            // It is gone already.
        }

        using var look = new PeriodicTimer(LookEvery, time);
        while (IsAlive)
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
