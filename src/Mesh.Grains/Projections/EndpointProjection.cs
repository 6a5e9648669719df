using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Grains.Services;
using Mesh.Storage;

namespace Mesh.Grains.Projections;

/// <summary>Writes a Service's EndpointSlices and Endpoints when they differ from what its endpoints are.</summary>
internal sealed class EndpointProjection(IObjectStore store, IWatchCache cache, TimeProvider time, Random random, Func<Mirrored?> newest) : IProjected
{
    // Room in one commit for the checks and the Endpoints object.
    private const int MostSlices = StoreLimits.MaxWritesPerCommit - 10;

    private long _written;

    public async ValueTask<bool> DiffersAsync(CancellationToken stop)
    {
        await cache.WaitForAsync(_written, stop);
        return newest() is { Object.IsDeleting: false } mirrored && Changes(mirrored).Count > 0;
    }

    /// <summary>One try; nothing is written while the set is not known to be whole.</summary>
    public async Task<ProjectionStep> WriteAsync(CancellationToken stop)
    {
        await cache.WaitForAsync(_written, stop);
        if (newest() is not { Object.IsDeleting: false } mirrored)
        {
            return new ProjectionStep.Dropped();
        }

        var changes = Changes(mirrored);
        if (changes.Count == 0)
        {
            return new ProjectionStep.Written(0);
        }

        Write[] guards =
        [
            new Write.Check(Kinds.Namespace(mirrored.Name.Namespace), Precondition.Activity),
            new Write.Check(Kinds.Service(mirrored.Name), new Precondition.Is(0, mirrored.Service.Uid)),
        ];
        var outcome = await store.CommitAsync([.. guards, .. changes], CommitClass.Projection, CancellationToken.None);
        return outcome switch
        {
            CommitOutcome.Committed done => Accept(done, changes.Count),
            CommitOutcome.Failed { Write: Write.Check } => new ProjectionStep.Dropped(),
            CommitOutcome.Failed failed => await LookAgainAsync(failed, stop),
            CommitOutcome.Refused refused => new ProjectionStep.Again(refused.Reason),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private List<Write> Changes(Mirrored mirrored)
    {
        if (!mirrored.IsSelecting)
        {
            return Removals(mirrored.Name);
        }

        var zones = new Dictionary<string, string?>(StringComparer.Ordinal);
        var documents = new MirrorDocuments(mirrored, node => Zone(node, zones), WallClock.Now(time), random);
        var (wanted, obsolete) = SliceSet.Plan(mirrored, [.. OwnSlices.Of(cache, mirrored.Name)]);
        var changes = new List<Write>();
        foreach (var slice in wanted)
        {
            if (documents.Slice(slice) is var (key, document))
            {
                changes.Add(new Write.Put(key, document, Unchanged(slice.Stored)));
            }
        }

        changes.AddRange(obsolete.Select(slice => new Write.Delete(slice.Key, Precondition.None)));
        if (changes.Count > MostSlices)
        {
            changes.RemoveRange(MostSlices, changes.Count - MostSlices); // the rest differs still, and goes next
        }

        var endpointsKey = Kinds.Endpoints(mirrored.Name);
        var endpoints = cache.Get(endpointsKey);
        if (documents.Endpoints(endpoints) is { } changed)
        {
            changes.Add(new Write.Put(endpointsKey, changed, Unchanged(endpoints)));
        }

        return changes;
    }

    /// <summary>
    /// Nothing is routed by what is left of an earlier selector, and nobody would ever take a Pod that ended out of it. What
    /// others wrote for the Service stays.
    /// </summary>
    private List<Write> Removals(NamespacedName service)
    {
        var gone = OwnSlices.Of(cache, service).Take(MostSlices).ToList();
        if (cache.Get(Kinds.Endpoints(service)) is { } endpoints && MirrorDocuments.IsMirror(endpoints))
        {
            gone.Add(endpoints);
        }

        return [.. gone.Select(stored => new Write.Delete(stored.Key, Unchanged(stored)))];
    }

    private ProjectionStep.Written Accept(CommitOutcome.Committed done, int rows)
    {
        _written = done.Version;
        return new ProjectionStep.Written(rows);
    }

    private async Task<ProjectionStep> LookAgainAsync(CommitOutcome.Failed failed, CancellationToken stop)
    {
        await cache.WaitForFreshAsync(stop);
        return new ProjectionStep.Again($"{failed.Write.Key} changed meanwhile");
    }

    private string? Zone(string node, Dictionary<string, string?> known)
    {
        if (!known.TryGetValue(node, out var zone))
        {
            zone = node.Length > 0 && cache.Get(Kinds.Node(node)) is { } stored ? NodeZone.Of(stored) : null;
            known[node] = zone;
        }

        return zone;
    }

    private static Precondition Unchanged(StoredObject? stored) =>
        stored is null ? Precondition.Absence : new Precondition.Is(stored.ResourceVersion, stored.Uid);
}
