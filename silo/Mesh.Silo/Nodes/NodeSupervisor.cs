using System.ComponentModel;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;

namespace Mesh.Silo.Nodes;

/// <summary>
/// Keeps one mesh-node running on the data directory: finds a living one, else starts one, and starts it again within a
/// second of its end. The node never ends because the silo does, only because the silo was asked to stop.
/// </summary>
internal sealed class NodeSupervisor(DataDirectory data, NodeExecutable executable, TimeProvider time, ILogger<NodeSupervisor> log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan LongLife = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    private RunningProcess? _node;
    private string? _lastEnd;

    /// <summary>A node that was alive before this silo is kept.</summary>
    public bool TookOver { get; private set; }

    public int? Pid => Volatile.Read(ref _node)?.Pid;

    /// <summary>How the last node ended, while no node has linked since; null when all is well.</summary>
    public string? LastEnd => Volatile.Read(ref _lastEnd);

    /// <summary>A node that came as far as this has started.</summary>
    public void OnLinked() => Volatile.Write(ref _lastEnd, null);

    /// <summary>Supervises until stopped; the node itself lives on.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var pause = FirstPause;
        while (!stop.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            await LiveOnceAsync(stop);
            pause = time.GetElapsedTime(began) > LongLife ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A node of another build drains and ends; the supervising loop then starts this silo's own.</summary>
    public void Replace(string build)
    {
        if (Volatile.Read(ref _node) is { } node)
        {
            log.NodeReplaced(node.Pid, build, executable.Build);
            node.Terminate();
        }
    }

    public bool IsOwnBuild(string build) => build == executable.Build;

    /// <summary>After a start that failed: a node that this silo started goes too, one that was there before stays.</summary>
    public void KillOwn()
    {
        if (!TookOver)
        {
            // By its number, as this silo's child: it may not have come as far as its lock.
            Volatile.Read(ref _node)?.Kill();
        }
    }

    /// <summary>Drains the node and waits for its end. Whether it ended by itself.</summary>
    public async Task StopNodeAsync(CancellationToken hurry)
    {
        if (RunningProcess.Find(data.NodeLock, data.NodePid) is { } node && await node.StopAsync(DrainTime, time, hurry) != ProcessEnd.ByItself)
        {
            log.NodeKilled(node.Pid);
        }
    }

    /// <summary>For a user who does not wait for the drain: both processes are one unit, so the node ends with the silo.</summary>
    public static void Kill(DataDirectory data) => RunningProcess.Find(data.NodeLock, data.NodePid)?.Kill();

    private async Task LiveOnceAsync(CancellationToken stop)
    {
        try
        {
            if (RunningProcess.Find(data.NodeLock, data.NodePid) is { } living)
            {
                TookOver = true;
                Volatile.Write(ref _node, living);
                log.NodeTakenOver(living.Pid);
                await living.WaitForExitAsync(time, stop);
                OnEnded(living.Pid, "ended");
            }
            else
            {
                using var started = executable.Start(data);
                TookOver = false;
                Volatile.Write(ref _node, new RunningProcess(started.Id, data.NodeLock));
                log.NodeStarted(started.Id);
                var words = NodeWords.ReadAsync(started.StandardError, stop);
                await started.WaitForExitAsync(stop);
                OnEnded(started.Id, NodeWords.Tell(started.ExitCode, await words, data.NodeLog));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The node lives on.
        }
        catch (Exception failure) when (failure is Win32Exception or IOException or InvalidOperationException)
        {
            Volatile.Write(ref _lastEnd, failure.Message);
            log.NodeNotStarted(failure);
        }
    }

    /// <summary>A node that cannot start is started again each second: what ended it is told once.</summary>
    private void OnEnded(int pid, string how)
    {
        if (Interlocked.Exchange(ref _lastEnd, how) == how)
        {
            log.NodeEndedAgain(pid, how);
        }
        else
        {
            log.NodeEnded(pid, how);
        }
    }
}
