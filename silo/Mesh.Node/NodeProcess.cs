using System.Collections;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Processes;

namespace Mesh.Node;

/// <summary>One run of mesh-node, from top to bottom.</summary>
internal static class NodeProcess
{
    public static async Task<int> RunAsync(string dataDir, IDictionary environment, CancellationToken stop)
    {
        var time = TimeProvider.System;
        var data = DataDirectory.Open(dataDir);
        using var held = ProcessLock.TryTake(data.NodeLock)
            ?? throw new StartRefusedException($"--data-dir {data.FullPath} is used by another mesh-node (pid {AtomicFile.ReadPid(data.NodePid)})");
        AtomicFile.WritePid(data.NodePid);
        Detachment.LeaveSession();
        using var output = new RotatingFile(data.NodeLog);

        await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ExitCode.Done;
    }
}
