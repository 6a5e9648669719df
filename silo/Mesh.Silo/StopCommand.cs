using System.Diagnostics;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;

namespace Mesh.Silo;

/// <summary><c>mesh-silo --stop</c>: ends whatever of silo and node still runs on a data directory.</summary>
internal static class StopCommand
{
    // A drain takes 10 s at most; a process that needs longer is stuck.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    public static async Task<int> RunAsync(string dataDir, TextWriter output, TimeProvider time)
    {
        var data = DataDirectory.Of(dataDir);
        var silo = RunningProcess.Find(data.SiloLock, data.SiloPid);
        var withIt = RunningProcess.Find(data.NodeLock, data.NodePid);
        if (silo is not null)
        {
            // The silo first: it would start its node again. It ends its node itself.
            await StopAsync("mesh-silo", silo, output, time);
        }

        var left = RunningProcess.Find(data.NodeLock, data.NodePid);
        if (withIt is not null && withIt.Pid != left?.Pid)
        {
            await output.WriteLineAsync($"mesh-node (pid {withIt.Pid}) stopped");
        }

        if (left is not null)
        {
            await StopAsync("mesh-node", left, output, time);
        }

        if ((Unseen(data.SiloLock, data.SiloPid) ?? Unseen(data.NodeLock, data.NodePid)) is { } held)
        {
            throw new StartRefusedException($"--stop: {held} is held by a process that cannot be seen from here, such as one of another container");
        }

        if (silo is null && withIt is null && left is null)
        {
            await output.WriteLineAsync($"nothing runs on {data.FullPath}");
        }

        return ExitCode.Done;
    }

    private static string? Unseen(string lockPath, string pidPath) =>
        ProcessLock.IsHeld(lockPath) && RunningProcess.Find(lockPath, pidPath) is null ? lockPath : null;

    private static async Task StopAsync(string name, RunningProcess process, TextWriter output, TimeProvider time)
    {
        await output.WriteLineAsync($"{name} (pid {process.Pid}) " + await process.StopAsync(Patience, time, CancellationToken.None) switch
        {
            ProcessEnd.ByItself => "stopped",
            ProcessEnd.Killed => "did not stop in time and was killed",
            ProcessEnd.None => "was killed and has not ended",
            _ => throw new UnreachableException(),
        });
    }
}
