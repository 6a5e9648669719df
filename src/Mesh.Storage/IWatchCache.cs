using Mesh.Core.Names;

namespace Mesh.Storage;

/// <summary>
/// One silo's picture of the store: follows the change log and serves every list, get and watch, the gateways' specs,
/// and what grains load when they activate.
/// </summary>
public interface IWatchCache
{
    /// <summary>resourceVersion up to which this cache has followed the log.</summary>
    long Version { get; }

    /// <summary>Changes when a backup was restored; continue tokens and watches of another timeline get 410.</summary>
    string Timeline { get; }

    StoredObject? Get(ObjectKey key);

    /// <summary>Objects of one kind in (namespace, name) order, all from one version. <paramref name="ns"/> null: every namespace.</summary>
    CacheList List(string group, string kind, string? ns);

    /// <summary>The objects that an index finds by a word, those of one kind in (namespace, name) order: in O(log n) for each.</summary>
    IReadOnlyList<StoredObject> Find(CacheIndex index, string word);

    /// <summary>Every object that the index finds by any word, each once.</summary>
    IReadOnlyList<StoredObject> FindAll(CacheIndex index);

    /// <summary>How many words of objects the index holds.</summary>
    int Count(CacheIndex index);

    /// <summary>Until the cache has followed the log to <paramref name="version"/>.</summary>
    Task WaitForAsync(long version, CancellationToken stop);

    /// <summary>
    /// Until the cache has reached the store's counter as of now: a read without resourceVersion is fresh. Looks are
    /// batched; after 1 s of a silent store it returns anyway (false: perhaps stale).
    /// </summary>
    Task<bool> WaitForFreshAsync(CancellationToken stop);

    /// <summary>
    /// Every change after <paramref name="afterVersion"/>, in order, to kinds that the filter accepts. Bookmarks tell progress.
    /// The buffer is bounded; a reader that falls behind gets <see cref="WatchExpiredException"/>.
    /// </summary>
    /// <exception cref="WatchExpiredException">The log no longer reaches back that far (410 Gone).</exception>
    IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion);
}

public sealed record CacheList(long Version, IReadOnlyList<StoredObject> Items);

public interface IWatch : IDisposable
{
    /// <summary>The next changes, at least one, once there are any. Never for two callers at once.</summary>
    /// <exception cref="WatchExpiredException">This reader was too slow, or the timeline changed.</exception>
    ValueTask<IReadOnlyList<StoreChange>> NextAsync(CancellationToken stop);

    /// <summary>
    /// All changes up to this version were filtered out or are done with: of those that were returned, the reader has since
    /// asked for the next. Safe to read while a call of <see cref="NextAsync"/> runs.
    /// </summary>
    long Version { get; }
}

/// <summary><paramref name="Object"/>: as it is now; for a deletion, the last document with the deletion's resourceVersion.</summary>
/// <param name="Previous">As it was before; null for an addition.</param>
public sealed record StoreChange(StoreChangeType Type, StoredObject Object, StoredObject? Previous);

public enum StoreChangeType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>Answered as 410 Gone: list again, then watch from there.</summary>
public sealed class WatchExpiredException(string message) : Exception(message);
