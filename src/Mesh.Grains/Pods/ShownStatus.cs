using Mesh.Core.Clocks;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Grains.Projections;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>
/// What the store shows of a Pod's life, written after its node observed it: the status, and of one that ended what its
/// end leaves, should whoever told of the end have given up.
/// </summary>
internal sealed class ShownStatus(OwnedObject pod, WantedStatus wanted, EndedPods ended, TimeProvider time, Func<PodLife?> life) : IProjected
{
    public ValueTask<bool> DiffersAsync(CancellationToken stop) => ValueTask.FromResult(
        pod.Current is { } current && (ended.Find(current.Uid) is null ? wanted.Missing(current, life()) is not null : Plan(current) is not WritePlan.Keep));

    public async Task<ProjectionStep> WriteAsync(CancellationToken stop)
    {
        var reply = await pod.ChangeAsync(Plan, static _ => null, CommitClass.Projection, stop);
        return reply.Result switch
        {
            ObjectResult.Committed => new ProjectionStep.Written(1),
            ObjectResult.Unavailable or ObjectResult.Unknown or ObjectResult.Conflict => new ProjectionStep.Again(reply.Message),
            _ => new ProjectionStep.Dropped(), // it is gone, or its namespace is
        };
    }

    private WritePlan Plan(StoredObject? current)
    {
        if (current is not null && ended.Find(current.Uid) is { } end)
        {
            return PodEnd.Plan(end, current, WallClock.Now(time));
        }

        return current is not null && wanted.Missing(current, life()) is { } status
            ? new WritePlan.Put(status.Apply(current.Document, WallClock.Now(time)), [])
            : new WritePlan.Keep();
    }
}
