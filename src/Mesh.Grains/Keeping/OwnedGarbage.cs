using System.Collections.Concurrent;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Storage;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Owner references: what lost all its owners is deleted, and an owner that is being deleted in the foreground, or leaves its
/// dependents behind, is let go when they are done (the rules of Kubernetes' garbage collector, attemptToDeleteItem).
/// </summary>
internal sealed class OwnedGarbage(IWatchCache cache, ObjectEnds ends, ServedKinds kinds, ILogger log)
{
    private const int AtOnce = 16;

    // What is to be looked at.
    private readonly ConcurrentDictionary<ObjectKey, byte> _looks = new();

    /// <summary>It is to end once its dependents have ended, or have forgotten it.</summary>
    public static bool IsAwaiting(StoredObject owner) => owner.IsDeleting && FinalizedRules.Of(owner.Document).Any(IsOurs);

    /// <summary>The objects for which a change may mean something: what it leaves without an owner, and what waited for it.</summary>
    public IEnumerable<ObjectKey> LookAfter(StoreChange change)
    {
        var (now, before) = (change.Object, change.Previous);
        if (!IsServed(now.Key))
        {
            return [];
        }

        if (change.Type == StoreChangeType.Deleted)
        {
            return DependentsOf(now).Select(dependent => dependent.Key).Concat(OwnersOf(now));
        }

        var isChanged = !now.Owners.SequenceEqual(before?.Owners ?? []);
        var isOther = before is not null && (before.Uid != now.Uid || before.IsDeleting != now.IsDeleting); // the key of one that was replaced
        var waits = Waits(now) && !(before is not null && Waits(before));
        return
        [
            .. isChanged || isOther || IsAwaiting(now) ? [now.Key] : Array.Empty<ObjectKey>(),
            .. isChanged && before is not null ? OwnersOf(before) : [],
            .. waits ? DependentsOf(now).Select(dependent => dependent.Key) : [],
            .. isOther && before!.Uid != now.Uid ? DependentsOf(before).Select(dependent => dependent.Key) : [],
        ];
    }

    public void Mark(ObjectKey key) => _looks[key] = 0;

    /// <summary>Looks at what was marked: many changes of a moment make one look at each object.</summary>
    public async Task LookAsync(CancellationToken stop)
    {
        ObjectKey[] keys = [.. _looks.Keys];
        Array.ForEach(keys, key => _looks.TryRemove(key, out _)); // before the look, so that a change during it makes another
        try
        {
            await StepAsync(keys.Select(cache.Get).OfType<StoredObject>(), stop);
        }
        catch
        {
            Array.ForEach(keys, Mark);
            throw;
        }
    }

    /// <summary>One look at everything that has an owner, or waits for what it owns: for the changes that nobody saw.</summary>
    public Task SweepAsync(Func<StoredObject, bool> isMine, CancellationToken stop) =>
        StepAsync(cache.FindAll(Indexes.ByOwner).Concat(cache.FindAll(Indexes.Awaiting)).Where(isMine), stop);

    private async Task StepAsync(IEnumerable<StoredObject> objects, CancellationToken stop)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop };
        await Parallel.ForEachAsync(objects, parallel, async (stored, stopStep) =>
        {
            try
            {
                if (StepOf(stored) is { } step && !await step(stopStep))
                {
                    Mark(stored.Key);
                }
            }
#pragma warning disable CA1031 // One object must not keep the Keeper from all others: it is left to the next sweep.
            catch (Exception failure) when (failure is not OperationCanceledException && !Keeper.IsPassing(failure))
#pragma warning restore CA1031
            {
                log.StepFailed(stored.Key.Kind, stored.Key.ToString(), failure);
            }
        });
    }

    /// <summary>What is to be done with an object, null for nothing.</summary>
    /// <remarks>A Namespace ends by steps of its own (NamespaceEnd): one that went here would leave its objects without it.</remarks>
    internal Func<CancellationToken, ValueTask<bool>>? StepOf(StoredObject stored) =>
        stored.Key.Kind == "Namespace" || !IsServed(stored.Key) ? null
        : IsAwaiting(stored) ? StepOf(stored, DependentsOf(stored))
        : stored.IsDeleting || stored.Owners.Count == 0 ? null
        : StepOfOwned(stored);

    private Func<CancellationToken, ValueTask<bool>>? StepOfOwned(StoredObject stored)
    {
        var states = stored.Owners.Select(owner => (owner.Uid, State: StateOf(owner, stored.Key.Namespace))).ToArray();
        if (states.Any(owner => owner.State == OwnerState.Unknown))
        {
            return null; // nobody can say whether it is there
        }

        var lost = states.Where(owner => owner.State != OwnerState.There).Select(owner => owner.Uid).ToHashSet(StringComparer.Ordinal);
        if (lost.Count < states.Length)
        {
            return lost.Count == 0 ? null : async stop => await ends.UpdateAsync(stored, OwnerEdits.Without(stored, lost), stop);
        }

        // In a circle each would wait for the other.
        var dependents = states.Any(owner => owner.State == OwnerState.Waits) ? DependentsOf(stored) : [];
        var waits = dependents.Length > 0 && !dependents.Any(Waits);
        return async stop => await ends.DeleteAsync(stored, waits ? Propagation.Foreground : Propagation.Default, stop);
    }

    /// <summary>What is to be done for an owner whose deletion waits for its dependents.</summary>
    private Func<CancellationToken, ValueTask<bool>>? StepOf(StoredObject owner, StoredObject[] dependents)
    {
        var finalizers = FinalizedRules.Of(owner.Document);
        if (finalizers.Contains(PropagationFinalizers.Orphan))
        {
            return dependents.Length == 0
                ? stop => ReleaseAsync(owner, PropagationFinalizers.Orphan, stop)
                : stop => ForgetAsync(owner, dependents, stop);
        }

        var isBlocked = dependents.Any(dependent => dependent.Owners.Any(reference => reference.Uid == owner.Uid && reference.Blocks));
        return isBlocked ? null : stop => ReleaseAsync(owner, PropagationFinalizers.Foreground, stop);
    }

    private async ValueTask<bool> ReleaseAsync(StoredObject owner, string finalizer, CancellationToken stop) =>
        await ends.UpdateAsync(owner, FinalizedRules.With(owner.Document, [.. FinalizedRules.Of(owner.Document).Where(other => other != finalizer)]), stop);

    private async ValueTask<bool> ForgetAsync(StoredObject owner, StoredObject[] dependents, CancellationToken stop)
    {
        var gone = new HashSet<string>(StringComparer.Ordinal) { owner.Uid };
        foreach (var dependent in dependents)
        {
            await ends.UpdateAsync(dependent, OwnerEdits.Without(dependent, gone), stop);
        }

        return false; // the next look finds none, and lets the owner go
    }

    private bool IsServed(ObjectKey key) => kinds.All.Any(kind => kind.Kind == key.Kind && kind.Group == key.Group);

    /// <summary>What names the object as an owner: of any namespace when it is in none, else of its own.</summary>
    private StoredObject[] DependentsOf(StoredObject owner) =>
    [
        .. cache.Find(Indexes.ByOwner, owner.Uid)
            .Where(dependent => IsServed(dependent.Key) && (owner.Key.Namespace.Length == 0 || dependent.Key.Namespace == owner.Key.Namespace)),
    ];

    private IEnumerable<ObjectKey> OwnersOf(StoredObject stored) =>
        stored.Owners.Select(owner => KeyOf(owner, stored.Key.Namespace)).OfType<ObjectKey>();

    /// <summary>Null when nobody can say what it is: what is in no namespace cannot be owned by what is in one.</summary>
    private ObjectKey? KeyOf(OwnerReference owner, string ns) =>
        kinds.Find(owner.ApiVersion, owner.Kind) is not { } kind || (ns.Length == 0 && kind.IsNamespaced)
            ? null
            : new ObjectKey(kind.Group, kind.Kind, kind.IsNamespaced ? ns : "", owner.Name);

    private OwnerState StateOf(OwnerReference owner, string ns)
    {
        if (KeyOf(owner, ns) is not { } key)
        {
            return OwnerState.Unknown;
        }

        var known = cache.Get(key);
        return known is null || known.Uid != owner.Uid ? OwnerState.Gone
            : Waits(known) ? OwnerState.Waits
            : OwnerState.There;
    }

    private static bool Waits(StoredObject owner) =>
        owner.IsDeleting && FinalizedRules.Of(owner.Document).Contains(PropagationFinalizers.Foreground);

    private static bool IsOurs(string finalizer) => finalizer is PropagationFinalizers.Foreground or PropagationFinalizers.Orphan;

    private enum OwnerState
    {
        Unknown,
        There,
        Waits,
        Gone,
    }
}
