using Mesh.Loops;
using Microsoft.Extensions.Hosting;

namespace Mesh.Grains.Delivery;

/// <summary>Tells receivers on this silo that the cluster's membership changed: what they follow may have moved.</summary>
public sealed class MembershipSignal(IClusterMembershipService membership, ProcessLoops loops) : BackgroundService
{
    private TaskCompletionSource _changed = Next();
    private HashSet<(SiloAddress Silo, SiloStatus Status)>? _known;

    /// <summary>Completes with the next change.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public void Raise() => Interlocked.Exchange(ref _changed, Next()).SetResult();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunToEndAsync("membership signal", FollowAsync, stoppingToken);

    /// <summary>Returns when the cluster has no more updates, at this silo's end.</summary>
    private async Task FollowAsync(CancellationToken stop)
    {
        _known ??= Statuses(membership.CurrentSnapshot);
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stop))
        {
            // Every look at the membership table is an update, also one that shows what the last one did: following
            // those would renew every subscription and wake every grain several times a minute for nothing.
            var statuses = Statuses(snapshot);
            if (!statuses.SetEquals(_known))
            {
                _known = statuses;
                Raise();
            }
        }
    }

    private static HashSet<(SiloAddress Silo, SiloStatus Status)> Statuses(ClusterMembershipSnapshot snapshot) =>
        [.. snapshot.Members.Values.Select(member => (member.SiloAddress, member.Status))];

    private static TaskCompletionSource Next() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
