using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>Tells the node what changes while a stream is open.</summary>
internal sealed class PodChanges(NodeClient node, PodWish wish, PodStanding standing, TimeProvider time, ILogger log)
{
    public async Task RunAsync(CancellationToken stop)
    {
        var delay = RetryDelay.First;
        try
        {
            while (true)
            {
                var (told, desired) = await wish.UntoldAsync(stop);
                if (standing.Pod is { } pod && await IsSettledAsync(pod, told, desired, stop))
                {
                    delay = RetryDelay.First;
                    continue;
                }

                await Task.Delay(delay, time, stop);
                delay = RetryDelay.Doubled(delay, RetryDelay.LastOfPod); // the stream is open, so no other wait slows this
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The registration ends.
        }
    }

    private async Task<bool> IsSettledAsync(PodIdentity pod, PodDesired told, PodDesired desired, CancellationToken stop)
    {
        switch (await node.PatchAsync(pod, desired.ChangesSince(told), stop))
        {
            case PatchOutcome.Taken:
                wish.Told(told, desired);
                return true;
            case PatchOutcome.Refused(var reason):
                log.ChangeRefused(pod.Namespace, pod.Name, reason);
                wish.Told(told, desired);
                return true;
            case PatchOutcome.Failed:
                return false; // a stream that is gone says so itself
            default:
                throw new UnreachableException();
        }
    }
}
