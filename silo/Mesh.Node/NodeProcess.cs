using System.Collections;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Processes;

namespace Mesh.Node;

/// <summary>One run of mesh-node, from top to bottom: what is locked, restored, served and drained, in that order.</summary>
internal static class NodeProcess
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan DrainTimeOfFailed = TimeSpan.FromSeconds(1); // nobody new is served until the next process is there

    public static async Task<int> RunAsync(string dataDir, IDictionary environment, CancellationToken signal)
    {
        PrivateFiles.Only();
        if (ProcessLimits.Refusal() is { } few)
        {
            throw new StartRefusedException(few);
        }

        var time = TimeProvider.System;
        var made = FirstFiles.Before(dataDir);
        var data = DataDirectory.OpenExisting(dataDir);
        using var held = Lock(data);
        var isFirst = made.IsFirst(data.NodeLock);
        var isStarted = false;
        using var ending = new NodeEnding(signal);
        try
        {
            AtomicFile.WritePid(data.NodePid);
            Detachment.LeaveSession();
            using var output = new RotatingFile(data.NodeLog);
            await using var node = NodeHost.Build(data, output, environment, ending, time);
            await node.StartAsync();
            output.BecomeOutput();
            isStarted = true;
            return await ServeAsync(node, data, ending, time);
        }
        catch (Exception failure) when (!isStarted)
        {
            if (isFirst)
            {
                made.TakeBack();
            }

            throw ending.HasFailed ? new StartRefusedException(ending.Why, failure) : StartRefusedException.Of(failure);
        }
        finally
        {
            if (AtomicFile.ReadPid(data.NodePid) == Environment.ProcessId)
            {
                File.Delete(data.NodePid);
            }
        }
    }

    private static async Task<int> ServeAsync(NodeHost node, DataDirectory data, NodeEnding ending, TimeProvider time)
    {
        if (await DataDirectoryWatch.UntilVanishedAsync(data.NodeLock, data.NodePid, time, ending.Requested))
        {
            ending.Request($"its data directory {data.FullPath} has vanished");
        }

        using var limit = new CancellationTokenSource(ending.HasFailed ? DrainTimeOfFailed : DrainTime, time);
        await node.DrainAsync(limit.Token);
        ending.OnDrained();
        await node.StopAsync();
        return ending.HasFailed ? ExitCode.Failed : ExitCode.Done;
    }

    private static ProcessLock Lock(DataDirectory data) =>
        ProcessLock.TryTake(data.NodeLock)
        ?? throw new StartRefusedException(
            $"--data-dir {data.FullPath} is used by another mesh-node{(AtomicFile.ReadPid(data.NodePid) is { } pid ? $" (pid {pid})" : "")}");
}
