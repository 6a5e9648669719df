using System.Diagnostics;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Objects;

/// <summary>
/// The one stored object that a grain is the writer of: what is known of it, and the write path that all kinds share.
/// Known is the newer of the watch cache and of the grain's own commits; after an unknown outcome nothing is, until the
/// store itself was read.
/// </summary>
public sealed class OwnedObject(ObjectKey key, IObjectStore store, IWatchCache cache, IObjectRules rules) : IDisposable
{
    // Each try failed because somebody else wrote meanwhile, which the next one has seen.
    private const int MostTries = 16;

    private readonly WriteTurn _turn = new();
    private StoredObject? _current;
    private long _knownVersion = -1;
    private bool _isUnknown;
    private int _timesUnknown;

    public ObjectKey Key => key;

    /// <summary>The outcome of a commit is not known, and the store was not asked yet.</summary>
    public bool IsUnknown => _isUnknown;

    /// <summary>What is known may be overtaken by a commit of this grain: one is under way, or its outcome is unknown.</summary>
    public bool IsChanging => _isUnknown || _turn.IsTaken;

    /// <summary>There is none, and none is on its way: whoever serves it has nothing to do.</summary>
    public bool IsAbsent => _current is null && !IsChanging;

    /// <summary>
    /// The rules look at other objects too: the cache must have followed the log to what is known of this one before they
    /// plan, and to what a commit failed on before they plan again.
    /// </summary>
    public bool PlansFromCache { get; init; }

    /// <summary>The object as last known, null when there is none. What was published from it stays, also while an outcome is unknown.</summary>
    public StoredObject? Current => _current;

    /// <summary>The newest state, once the cache has followed the log to <paramref name="version"/>.</summary>
    /// <exception cref="StoreUnavailableException">An outcome is unknown and the store does not answer.</exception>
    public async Task<StoredObject?> ReadAsync(long version, CancellationToken stop)
    {
        await cache.WaitForAsync(version, stop);
        while (_isUnknown)
        {
            await ReadStoreAsync(stop);
        }

        Refresh();
        return _current;
    }

    /// <summary>
    /// Takes in what anybody has written by now, on whichever silo: before it is said that there is nothing. False when the store does
    /// not say how far it is.
    /// </summary>
    /// <exception cref="StoreUnavailableException">An outcome is unknown and the store does not answer.</exception>
    public async Task<bool> ReadFreshAsync(CancellationToken stop)
    {
        var isFresh = await cache.WaitForFreshAsync(stop);
        await ReadAsync(0, stop);
        return isFresh;
    }

    /// <summary>Takes in what the cache shows by now; waits for nothing.</summary>
    public void Look() => Refresh();

    /// <summary>What a user asked for: refused, or committed before it is answered.</summary>
    public async Task<ObjectReply> WriteAsync(ObjectRequest request, CancellationToken stop)
    {
        if (request.DryRun)
        {
            await ReadFreshAsync(stop);
            return RequestConditions.Refused(key, request, _current) ?? DryRun(request, _current);
        }

        return await TryAsync(
            current => RequestConditions.Refused(key, request, current) is { } refused ? new WritePlan.Refuse(refused) : rules.Plan(request, current),
            failed => rules.Explain(request, failed),
            request,
            CommitClass.Request,
            stop);
    }

    /// <summary>What the grain itself wants of its object: observed facts, status.</summary>
    /// <param name="explain">For the writes that the plan added; null means plan again.</param>
    public Task<ObjectReply> ChangeAsync(
        Func<StoredObject?, WritePlan> plan, Func<CommitOutcome.Failed, ObjectReply?> explain, CommitClass commitClass, CancellationToken stop) =>
        TryAsync(plan, explain, null, commitClass, stop);

    public void Dispose() => _turn.Dispose();

    private Task<ObjectReply> TryAsync(
        Func<StoredObject?, WritePlan> plan,
        Func<CommitOutcome.Failed, ObjectReply?> explain,
        ObjectRequest? request,
        CommitClass commitClass,
        CancellationToken stop) => commitClass == CommitClass.Projection
            ? _turn.ProjectAsync(giveWay => TryAsync(plan, explain, request, commitClass, giveWay, stop), stop)
            : _turn.AskAsync(() => TryAsync(plan, explain, request, commitClass, CancellationToken.None, stop), stop);

    private async Task<ObjectReply> TryAsync(
        Func<StoredObject?, WritePlan> plan,
        Func<CommitOutcome.Failed, ObjectReply?> explain,
        ObjectRequest? request,
        CommitClass commitClass,
        CancellationToken giveWay,
        CancellationToken stop)
    {
        try
        {
            await ReadAsync(0, stop);
            await CatchUpAsync(request?.IfVersion ?? 0, stop);
            var isFresh = false;
            for (var tries = 0; tries < MostTries; tries++)
            {
                await FollowAsync(tries > 0, stop);
                var planned = plan(_current);
                if (!isFresh && _current is null && IsForNothing(planned))
                {
                    // This silo's cache may lack what another silo has written: it is planned again.
                    isFresh = await ReadFreshAsync(stop) ? true : throw new StoreUnavailableException($"The store does not say whether there is {key}.");
                    continue;
                }

                if (await CommitAsync(planned, explain, commitClass, giveWay) is { } reply)
                {
                    return reply;
                }
            }

            return Replies.Conflict($"{key} kept changing while it was being written; try again");
        }
        catch (StoreUnavailableException silent)
        {
            return Replies.Unavailable(silent.Message);
        }
        catch (CommitOutcomeUnknownException)
        {
            return Replies.Unknown();
        }
    }

    private static bool IsForNothing(WritePlan plan) => plan is WritePlan.Keep or WritePlan.Refuse { Reply.Result: ObjectResult.NotFound };

    private async Task FollowAsync(bool isAgain, CancellationToken stop)
    {
        if (PlansFromCache && isAgain)
        {
            await cache.WaitForFreshAsync(stop);
        }

        if (PlansFromCache)
        {
            await cache.WaitForAsync(_knownVersion, stop);
        }
    }

    /// <summary>One try; null when the state was another than the plan was made from.</summary>
    private async Task<ObjectReply?> CommitAsync(WritePlan plan, Func<CommitOutcome.Failed, ObjectReply?> explain, CommitClass commitClass, CancellationToken giveWay)
    {
        if (plan is WritePlan.Refuse refusal)
        {
            return refusal.Reply;
        }

        if (plan is WritePlan.Keep)
        {
            return _current is null ? Replies.NotFound(key) : Replies.Stored(_current);
        }

        var before = _current;
        var writes = Writes(plan);
        var outcome = await CommitAsync(writes, commitClass, giveWay);
        return outcome switch
        {
            CommitOutcome.Committed done => Accept(plan, before, done),
            CommitOutcome.Failed failed => Learn(failed, explain),
            CommitOutcome.Refused refused => Replies.Invalid("", refused.Reason),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<CommitOutcome> CommitAsync(IReadOnlyList<Write> writes, CommitClass commitClass, CancellationToken giveWay)
    {
        try
        {
            // Without the caller's token: a commit that is under way ends with an outcome.
            return await store.CommitAsync(writes, commitClass, giveWay);
        }
        catch (Exception nothing) when (nothing is StoreUnavailableException || (nothing is OperationCanceledException && giveWay.IsCancellationRequested))
        {
            throw;
        }
        catch
        {
            Forget(); // the next caller reads the store, and is never told about a write that did not happen
            throw;
        }
    }

    private List<Write> Writes(WritePlan plan)
    {
        var writes = new List<Write>();
        if (_current is null && key.Namespace.Length > 0)
        {
            writes.Add(new Write.Check(Kinds.Namespace(key.Namespace), Precondition.Activity));
        }

        var unchanged = _current is null ? Precondition.Absence : new Precondition.Is(_current.ResourceVersion, _current.Uid);
        switch (plan)
        {
            case WritePlan.Put put:
                writes.Add(new Write.Put(key, put.Document, unchanged));
                writes.AddRange(put.Also);
                break;
            case WritePlan.Delete delete:
                writes.Add(new Write.Delete(key, unchanged));
                writes.AddRange(delete.Also);
                break;
            default:
                throw new UnreachableException();
        }

        return writes;
    }

    private ObjectReply Accept(WritePlan plan, StoredObject? before, CommitOutcome.Committed done)
    {
        _current = done.Objects.FirstOrDefault(stored => stored?.Key == key);
        _knownVersion = done.Version;
        _isUnknown = false;
        return plan is WritePlan.Put put
            ? Replies.Stored(_current!, put.Result)
            : new ObjectReply(ObjectResult.Committed, before!.Document, done.Version, "");
    }

    private ObjectReply? Learn(CommitOutcome.Failed failed, Func<CommitOutcome.Failed, ObjectReply?> explain)
    {
        if (failed.Write is Write.Check && failed.Write.Key == Kinds.Namespace(key.Namespace))
        {
            return Replies.Namespace(key.Namespace, failed.Current);
        }

        if (failed.Write.Key != key)
        {
            return explain(failed);
        }

        _current = failed.Current;
        if (_current is null)
        {
            Forget(); // somebody deleted it, and nobody says at which version: the cache may show it yet
            return null;
        }

        _knownVersion = _current.ResourceVersion;
        Refresh(); // what was written since may be in the cache by now
        return null;
    }

    private ObjectReply DryRun(ObjectRequest request, StoredObject? current)
    {
        if (request.Verb == ObjectVerb.Create && key.Namespace.Length > 0
            && cache.Get(Kinds.Namespace(key.Namespace)) is not { IsDeleting: false })
        {
            return Replies.Namespace(key.Namespace, cache.Get(Kinds.Namespace(key.Namespace)));
        }

        return rules.Plan(request, current) switch
        {
            WritePlan.Put put => Replies.DryRun(put.Document, current) with { Result = put.Result },
            WritePlan.Delete or WritePlan.Keep => Replies.DryRun(current!.Document, current),
            WritePlan.Refuse refuse => refuse.Reply,
            _ => throw new UnreachableException(),
        };
    }

    // The client read a state that this grain has not seen: another activation wrote it.
    private async Task CatchUpAsync(long version, CancellationToken stop)
    {
        if (version > (_current?.ResourceVersion ?? 0) && version > _knownVersion)
        {
            await cache.WaitForFreshAsync(stop);
            Refresh();
        }
    }

    /// <summary>
    /// What was read is known up to its own version and no further: others may have written while the cache caught up. A cache that is
    /// as new as the store's counter, asked for after the read, is newer than the read.
    /// </summary>
    private async Task ReadStoreAsync(CancellationToken stop)
    {
        var times = _timesUnknown;
        var stored = await store.ReadAsync(key, stop);
        var isFresh = await cache.WaitForFreshAsync(stop);
        if (times != _timesUnknown || !_isUnknown)
        {
            return; // another commit has begun to be unknown after the read, or somebody else read what is known by now
        }

        if (!isFresh && stored is null)
        {
            throw new StoreUnavailableException($"The store did not say whether {key} was deleted before what the cache shows.");
        }

        _isUnknown = false;
        (_current, _knownVersion) = isFresh ? (null, -1) : (stored, stored!.ResourceVersion);
        Refresh();
    }

    private void Forget()
    {
        _isUnknown = true;
        _timesUnknown++;
    }

    private void Refresh()
    {
        var version = cache.Version;
        if (!_isUnknown && version > _knownVersion)
        {
            _current = cache.Get(key);
            _knownVersion = Math.Max(version, _current?.ResourceVersion ?? 0);
        }
    }
}
