using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>Keeps a stream open with the node, one after the other, until the Pod was deleted: the open request is the lease.</summary>
internal sealed class PodStream(NodeClient node, PodWish wish, PodStanding standing, MeshDeletion whenDeleted, TimeProvider time, Random random, ILogger log)
{
    /// <summary>
    /// How long a name stays free at least after its Pod was deleted. <c>kubectl delete</c> looks a while later whether anything has
    /// the name; it would take the next Pod for the one that is to end, and wait for that.
    /// </summary>
    private static readonly TimeSpan NameIsFree = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _stopRequested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isEnding;

    /// <summary>Completes when the Pod was deleted and the process is to stop with it.</summary>
    public Task StopRequested => _stopRequested.Task;

    /// <summary>Nothing is asked any more.</summary>
    public void End() => _stopRequested.TrySetCanceled(CancellationToken.None);

    /// <summary>From now on the Pod's end is this process's own wish.</summary>
    public void Ending() => _isEnding = true;

    public async Task RunAsync(CancellationToken stop)
    {
        var retry = new RetryDelay(random);
        while (true)
        {
            var desired = wish.Desired;
            long? opened = null;
            StreamEnd end;
            try
            {
                end = await node.StreamAsync(desired, standing.Pod?.Uid, pod => opened = Observe(pod, desired, opened), stop);
            }
            finally
            {
                wish.Closed();
            }

            if (stop.IsCancellationRequested || !IsTriedAgain(end))
            {
                return;
            }

            var delay = retry.Next(IsRefused(end), opened is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero, standing.Pod is not null)
                + (end is StreamEnd.Deleted ? NameIsFree : TimeSpan.Zero);
            try
            {
                await Task.Delay(delay, time, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>One line of the stream; when the stream was opened.</summary>
    private long Observe(RegistrationProtocol.Line.Pod pod, PodDesired told, long? opened)
    {
        var before = standing.Pod;
        standing.Is(pod.Identity);
        if (opened is null)
        {
            // Before anybody sees the state: what is wished from then on is waited for.
            wish.Opened(told, pod.Identity.Address.ToString());
        }

        var isLeaving = pod.IsDeleting || wish.Desired.IsDraining;
        var state = isLeaving ? MeshPodState.Draining : pod.IsReady ? MeshPodState.Ready : MeshPodState.NotReady;
        if (opened is { } since)
        {
            standing.State.Set(state);
            return since;
        }

        standing.Opened(pod.Identity, before, state);
        return time.GetTimestamp();
    }

    private bool IsTriedAgain(StreamEnd end)
    {
        switch (end)
        {
            case StreamEnd.Deleted:
                return IsRegisteredAnew();
            case StreamEnd.Conflict or StreamEnd.Ended:
                standing.IsNone();
                break;
            case StreamEnd.Lost or StreamEnd.Refused:
                break;
            default:
                throw new UnreachableException();
        }

        Explain(end);
        if (end is StreamEnd.Refused(var reason))
        {
            standing.Refuse(reason);
        }

        return true;
    }

    /// <summary>Tells why there is no stream; a made name that another Pod has is replaced by another.</summary>
    public void Explain(StreamEnd end)
    {
        switch (end)
        {
            case StreamEnd.Conflict(var reason):
                wish.Change(desired => desired.Renamed(random));
                standing.Detach(wish.Desired.IsNameMade ? reason : NameOrAddress(reason));
                break;
            case StreamEnd.Lost(var reason):
                standing.Detach(reason);
                break;
            case StreamEnd.Ended(var reason):
                standing.Detach(reason);
                break;
            case StreamEnd.Refused(var reason):
                standing.Detach(reason);
                break;
            case StreamEnd.Deleted:
                standing.Detach("the Pod was deleted");
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>A name that the user chose is not another the next time.</summary>
    private bool IsRefused(StreamEnd end) => end is StreamEnd.Refused || (end is StreamEnd.Conflict && !wish.Desired.IsNameMade);

    /// <summary>The Pod was deleted: by this process on its way out, or by somebody else, and then it is as the options say.</summary>
    private bool IsRegisteredAnew()
    {
        if (_isEnding || wish.Desired.IsDraining || standing.Pod is not { } deleted)
        {
            standing.State.Set(MeshPodState.Terminated);
            return false;
        }

        log.Deleted(deleted.Namespace, deleted.Name, whenDeleted switch
        {
            MeshDeletion.Stay => "this process no longer takes traffic through Mesh, as WhenDeleted says",
            MeshDeletion.Stop => "this process is asked to stop, as WhenDeleted says",
            MeshDeletion.Register => "this process is registered again, as another Pod (MESH_WHEN_DELETED=stop would end it, =stay keep it out)",
            _ => throw new UnreachableException(),
        });
        if (whenDeleted == MeshDeletion.Register)
        {
            // Under its name, which its traces have too; one that a finalizer still holds is a conflict, and that renames.
            standing.IsNone();
            standing.State.Set(MeshPodState.Unregistered);
            return true;
        }

        standing.State.Set(MeshPodState.Terminated);
        if (whenDeleted == MeshDeletion.Stop)
        {
            _stopRequested.TrySetResult();
        }

        return false;
    }

    /// <summary>The node's advice is for curl, whose user would take the stream over.</summary>
    private static string NameOrAddress(string reason) => reason.StartsWith("address:", StringComparison.Ordinal)
        ? reason
        : $"{reason.Split(';')[0].TrimEnd('.')}; choose another MESH_POD_NAME, or none: then a name is made";
}
