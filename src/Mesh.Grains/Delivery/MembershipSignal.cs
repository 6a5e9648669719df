using Microsoft.Extensions.Hosting;

namespace Mesh.Grains.Delivery;

/// <summary>Tells receivers on this silo that the cluster's membership changed: what they follow may have moved.</summary>
public sealed class MembershipSignal(IClusterMembershipService membership) : BackgroundService
{
    private TaskCompletionSource _changed = Next();

    /// <summary>Completes with the next change.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public void Raise() => Interlocked.Exchange(ref _changed, Next()).SetResult();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var _ in membership.MembershipUpdates.WithCancellation(stoppingToken))
            {
                Raise();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static TaskCompletionSource Next() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
