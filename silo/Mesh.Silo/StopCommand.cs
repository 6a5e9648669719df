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
        // The silo first: it would start its node again.
        var silo = await StopOneAsync("mesh-silo", data.SiloLock, data.SiloPid, output, time);
        var node = await StopOneAsync("mesh-node", data.NodeLock, data.NodePid, output, time);
        if (!silo && !node)
        {
            await output.WriteLineAsync($"nothing runs on {data.FullPath}");
        }

        return ExitCode.Done;
    }

    private static async Task<bool> StopOneAsync(string name, string lockPath, string pidPath, TextWriter output, TimeProvider time)
    {
        if (RunningProcess.Find(lockPath, pidPath) is not { } process)
        {
            return false;
        }

        var orderly = await process.StopAsync(Patience, time, CancellationToken.None);
        await output.WriteLineAsync($"{name} (pid {process.Pid}) {(orderly ? "stopped" : "did not stop in time and was killed")}");
        return true;
    }
}
