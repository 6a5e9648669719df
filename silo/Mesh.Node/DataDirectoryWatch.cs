using Mesh.Hosting.Files;

namespace Mesh.Node;

/// <summary>A node whose data directory vanishes ends itself: nobody could find it again.</summary>
internal static class DataDirectoryWatch
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(DataDirectory data, NodeEnding ending, TimeProvider time, CancellationToken stop)
    {
        using var tick = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await tick.WaitForNextTickAsync(stop))
            {
                // Also when the directory was made anew: then it is another's.
                if (AtomicFile.ReadPid(data.NodePid) != Environment.ProcessId)
                {
                    ending.Request($"its data directory {data.FullPath} has vanished");
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }
}
