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

    private const string ZoneLabel = "topology.kubernetes.io/zone";

    private readonly Dictionary<string, string?> _zones = new(StringComparer.Ordinal); // of one look
    private long _written;
    private MirrorState? _right;

    public async ValueTask<bool> DiffersAsync(CancellationToken stop)
    {
        await cache.WaitForAsync(_written, stop);
        if (newest() is not { Object.IsDeleting: false } mirrored)
        {
            return false;
        }

        var state = StateOf(mirrored, out var slices, out var endpoints);
        if (_right is { } right && right.Stored == state.Stored)
        {
            return right.Content != state.Content; // nobody else wrote: what differs need not be composed to be known
        }

        return Compose(mirrored, state, slices, endpoints).Count > 0;
    }

    /// <summary>One try; nothing is written while the set is not known to be whole.</summary>
    public async Task<ProjectionStep> WriteAsync(CancellationToken stop)
    {
        await cache.WaitForAsync(_written, stop);
        if (newest() is not { Object.IsDeleting: false } mirrored)
        {
            return new ProjectionStep.Dropped();
        }

        var state = StateOf(mirrored, out var slices, out var endpoints);
        var changes = Compose(mirrored, state, slices, endpoints);
        if (changes.Count == 0)
        {
            return new ProjectionStep.Written(0);
        }

        Write[] guards =
        [
            new Write.Check(Kinds.Namespace(mirrored.Name.Namespace), Precondition.Activity),
            new Write.Check(Kinds.Service(mirrored.Name), new Precondition.Is(0, mirrored.Service.Uid)),
        ];
        var outcome = await store.CommitAsync([.. guards, .. changes.Select(change => change.Write)], CommitClass.Projection, CancellationToken.None);
        return outcome switch
        {
            CommitOutcome.Committed done => Accept(done, changes, done.Objects.Skip(guards.Length), state),
            CommitOutcome.Failed { Write: Write.Check } => new ProjectionStep.Dropped(),
            CommitOutcome.Failed failed => await LookAgainAsync(failed, stop),
            CommitOutcome.Refused refused => new ProjectionStep.Again(refused.Reason),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private MirrorState StateOf(Mirrored mirrored, out IReadOnlyList<StoredObject> slices, out StoredObject? endpoints)
    {
        _zones.Clear();
        slices = OwnSlices.Of(cache, mirrored.Name);
        endpoints = cache.Get(Kinds.Endpoints(mirrored.Name));
        return new MirrorState(MirrorState.ContentOf(mirrored, Zone), MirrorVersions.Of(mirrored, slices, endpoints));
    }

    private List<Change> Compose(Mirrored mirrored, MirrorState state, IReadOnlyList<StoredObject> slices, StoredObject? endpoints)
    {
        var changes = mirrored.IsSelecting ? Changes(mirrored, slices, endpoints) : Removals(slices, endpoints);
        if (changes.Count == 0)
        {
            _right = state;
        }

        return changes;
    }

    private List<Change> Changes(Mirrored mirrored, IReadOnlyList<StoredObject> slices, StoredObject? endpoints)
    {
        var documents = new MirrorDocuments(mirrored, Zone, WallClock.Now(time), random);
        var (wanted, obsolete) = SliceSet.Plan(mirrored, slices);
        var changes = new List<Change>();
        foreach (var slice in wanted)
        {
            if (documents.Slice(slice) is var (key, document))
            {
                changes.Add(new Change(new Write.Put(key, document, Unchanged(slice.Stored)), slice.Stored));
            }
        }

        changes.AddRange(obsolete.Select(slice => new Change(new Write.Delete(slice.Key, Precondition.None), slice)));
        if (changes.Count > MostSlices)
        {
            changes.RemoveRange(MostSlices, changes.Count - MostSlices); // the rest differs still, and goes next
        }

        if (documents.Endpoints(endpoints) is { } changed)
        {
            changes.Add(new Change(new Write.Put(Kinds.Endpoints(mirrored.Name), changed, Unchanged(endpoints)), endpoints));
        }

        return changes;
    }

    /// <summary>
    /// Nothing is routed by what is left of an earlier selector, and nobody would ever take a Pod that ended out of it. What
    /// others wrote for the Service stays.
    /// </summary>
    private static List<Change> Removals(IReadOnlyList<StoredObject> slices, StoredObject? endpoints)
    {
        var gone = slices.Take(MostSlices).ToList();
        if (endpoints is not null && MirrorDocuments.IsMirror(endpoints))
        {
            gone.Add(endpoints);
        }

        return [.. gone.Select(stored => new Change(new Write.Delete(stored.Key, Unchanged(stored)), stored))];
    }

    private ProjectionStep.Written Accept(CommitOutcome.Committed done, List<Change> changes, IEnumerable<StoredObject?> stored, MirrorState state)
    {
        _written = done.Version;
        var isWhole = changes.Count < MostSlices;
        _right = isWhole ? state with { Stored = changes.Zip(stored).Aggregate(state.Stored, (versions, one) => versions.After(one.First.Before, one.Second)) } : null;
        return new ProjectionStep.Written(changes.Count);
    }

    private async Task<ProjectionStep> LookAgainAsync(CommitOutcome.Failed failed, CancellationToken stop)
    {
        await cache.WaitForFreshAsync(stop);
        return new ProjectionStep.Again($"{failed.Write.Key} changed meanwhile");
    }

    private string? Zone(string node)
    {
        if (!_zones.TryGetValue(node, out var zone))
        {
            _zones[node] = zone = node.Length > 0 ? cache.Get(Kinds.Node(node))?.Label(ZoneLabel) : null;
        }

        return zone;
    }

    private static Precondition Unchanged(StoredObject? stored) =>
        stored is null ? Precondition.Absence : new Precondition.Is(stored.ResourceVersion, stored.Uid);

    private sealed record Change(Write Write, StoredObject? Before);
}
