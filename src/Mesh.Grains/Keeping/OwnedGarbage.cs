using System.Collections.Concurrent;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Owner references: what lost all its owners is deleted, and an owner that is being deleted in the foreground, or leaves its
/// dependents behind, is let go when they are done (the rules of Kubernetes' garbage collector, attemptToDeleteItem).
/// </summary>
internal sealed class OwnedGarbage(IWatchCache cache, ObjectEnds ends, ServedKinds kinds)
{
    private const int AtOnce = 16;

    // Namespaces to look into; the empty name: everywhere.
    private readonly ConcurrentDictionary<string, byte> _looks = new(StringComparer.Ordinal);

    private readonly NamedOwners _named = new();

    /// <summary>The namespace that a change makes worth a look, null when it has no owner and no dependent to do with.</summary>
    public string? LookAfter(StoreChange change)
    {
        var (now, before) = (change.Object, change.Previous);
        if (!kinds.All.Any(kind => kind.Kind == now.Key.Kind && kind.Group == now.Key.Group))
        {
            return null;
        }

        var owners = OwnerReference.Of(now);
        if (change.Type != StoreChangeType.Deleted)
        {
            _named.Add(owners);
        }

        var concerns = change.Type == StoreChangeType.Deleted
            ? owners.Length > 0 || _named.Has(now.Uid) // an owner may wait for it; or something is left without it
            : IsAwaiting(now) || !owners.SequenceEqual(before is null ? [] : OwnerReference.Of(before));
        return concerns ? now.Key.Namespace : null;
    }

    public void Mark(string ns) => _looks[ns] = 0;

    /// <summary>Looks into the namespaces that were marked: many changes of a moment make one look.</summary>
    public async Task LookAsync(CancellationToken stop)
    {
        foreach (var ns in _looks.Keys)
        {
            _looks.TryRemove(ns, out _); // before the look, so that a change during it makes another
            try
            {
                await CollectAsync(ns.Length == 0 ? null : ns, static _ => true, stop);
            }
            catch
            {
                _looks[ns] = 0;
                throw;
            }
        }
    }

    /// <summary>One round over a namespace, or over all.</summary>
    /// <remarks>
    /// What is in no namespace has dependents in any, so a look into one cannot judge it: while something of that sort waits
    /// for its dependents, each look into a namespace is followed by one everywhere.
    /// </remarks>
    public async Task CollectAsync(string? ns, Func<StoredObject, bool> isMine, CancellationToken stop)
    {
        if (ns is not null && List(null, isNamespaced: false).Any(IsAwaiting))
        {
            Mark("");
        }

        var (objects, owned) = ns is null ? _named.Renew(() => Read(null), static all => all.Owned.SelectMany(entry => entry.Owners)) : Read(ns);
        var dependents = owned
            .SelectMany(entry => entry.Owners.Select(owner => (owner.Uid, Entry: entry)))
            .ToLookup(pair => pair.Uid, pair => pair.Entry, StringComparer.Ordinal);
        var ending = objects.Where(IsAwaiting);
        var steps = owned.Where(entry => !entry.Object.IsDeleting && isMine(entry.Object))
            .Select(entry => (entry.Object, Step: StepOf(entry, dependents)))
            .Concat(ending.Where(isMine).Select(owner => (Object: owner, Step: StepOf(owner, [.. dependents[owner.Uid]]))))
            .Where(pair => pair.Step is not null);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop };
        await Parallel.ForEachAsync(steps, parallel, async (pair, stopStep) =>
        {
            if (!await pair.Step!(stopStep))
            {
                Mark(pair.Object.Key.Namespace);
            }
        });
    }

    private (StoredObject[] Objects, Owned[] Owned) Read(string? ns)
    {
        var objects = ns is null ? [.. List(null, isNamespaced: false), .. List(null, isNamespaced: true)] : List(ns, isNamespaced: true);
        return (objects, [.. objects.Select(stored => new Owned(stored, OwnerReference.Of(stored))).Where(entry => entry.Owners.Length > 0)]);
    }

    // A Namespace ends by steps of its own (NamespaceEnd): one that went here would leave its objects without it.
    private StoredObject[] List(string? ns, bool isNamespaced) =>
    [
        .. kinds.All
            .Where(kind => kind.IsNamespaced == isNamespaced && kind.Kind != "Namespace")
            .SelectMany(kind => cache.List(kind.Group, kind.Kind, ns).Items),
    ];

    /// <summary>What is to be done with an object that has owners.</summary>
    private Func<CancellationToken, ValueTask<bool>>? StepOf(Owned entry, ILookup<string, Owned> dependents)
    {
        var states = entry.Owners.Select(owner => (owner.Uid, State: StateOf(owner, entry.Object.Key.Namespace))).ToArray();
        if (states.Any(owner => owner.State == OwnerState.Unknown))
        {
            return null; // nobody can say whether it is there
        }

        var lost = states.Where(owner => owner.State != OwnerState.There).Select(owner => owner.Uid).ToHashSet(StringComparer.Ordinal);
        if (lost.Count < states.Length)
        {
            return lost.Count == 0 ? null : async stop => await ends.UpdateAsync(entry.Object, OwnerReference.Without(entry.Object, lost), stop);
        }

        // In a circle each would wait for the other.
        var isAwaited = states.Any(owner => owner.State == OwnerState.Waits);
        var waits = isAwaited && dependents[entry.Object.Uid].Any() && !dependents[entry.Object.Uid].Any(other => Waits(other.Object));
        return async stop => await ends.DeleteAsync(entry.Object, waits ? Propagation.Foreground : Propagation.Default, stop);
    }

    /// <summary>What is to be done for an owner whose deletion waits for its dependents.</summary>
    private Func<CancellationToken, ValueTask<bool>>? StepOf(StoredObject owner, Owned[] dependents)
    {
        var finalizers = FinalizedRules.Of(owner.Document);
        if (finalizers.Contains(PropagationFinalizers.Orphan))
        {
            return dependents.Length == 0
                ? stop => ReleaseAsync(owner, PropagationFinalizers.Orphan, stop)
                : stop => ForgetAsync(owner, dependents, stop);
        }

        var isBlocked = dependents.Any(entry => entry.Owners.Any(reference => reference.Uid == owner.Uid && reference.Blocks));
        return isBlocked ? null : stop => ReleaseAsync(owner, PropagationFinalizers.Foreground, stop);
    }

    private async ValueTask<bool> ReleaseAsync(StoredObject owner, string finalizer, CancellationToken stop) =>
        await ends.UpdateAsync(owner, FinalizedRules.With(owner.Document, [.. FinalizedRules.Of(owner.Document).Where(other => other != finalizer)]), stop);

    private async ValueTask<bool> ForgetAsync(StoredObject owner, Owned[] dependents, CancellationToken stop)
    {
        var gone = new HashSet<string>(StringComparer.Ordinal) { owner.Uid };
        foreach (var dependent in dependents)
        {
            await ends.UpdateAsync(dependent.Object, OwnerReference.Without(dependent.Object, gone), stop);
        }

        return false; // the next look finds none, and lets the owner go
    }

    private OwnerState StateOf(OwnerReference owner, string ns)
    {
        // What is in no namespace cannot be owned by what is in one.
        if (kinds.Find(owner.ApiVersion, owner.Kind) is not { } kind || (ns.Length == 0 && kind.IsNamespaced))
        {
            return OwnerState.Unknown;
        }

        var known = cache.Get(new ObjectKey(kind.Group, kind.Kind, kind.IsNamespaced ? ns : "", owner.Name));
        return known is null || known.Uid != owner.Uid ? OwnerState.Gone
            : Waits(known) ? OwnerState.Waits
            : OwnerState.There;
    }

    private static bool Waits(StoredObject owner) =>
        owner.IsDeleting && FinalizedRules.Of(owner.Document).Contains(PropagationFinalizers.Foreground);

    /// <summary>It is to end once its dependents have ended, or have forgotten it.</summary>
    private static bool IsAwaiting(StoredObject owner) => owner.IsDeleting && FinalizedRules.Of(owner.Document).Any(IsOurs);

    private static bool IsOurs(string finalizer) => finalizer is PropagationFinalizers.Foreground or PropagationFinalizers.Orphan;

    private enum OwnerState
    {
        Unknown,
        There,
        Waits,
        Gone,
    }

    private sealed record Owned(StoredObject Object, OwnerReference[] Owners);
}
