namespace Mesh.Storage;

/// <summary>The store's change log, as watch caches follow it.</summary>
public interface IChangeLog
{
    /// <summary>Every object, and of the log the newest that may be kept, from one version.</summary>
    /// <param name="keep">More of the log is not even read.</param>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    Task<StoreImage> LoadAsync(LogRetention keep, CancellationToken stop);

    /// <summary>The store's counter as of now, read past every cache.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    Task<LogPosition> PositionAsync(CancellationToken stop);

    /// <summary>Everything after a position; null when the log does not reach back that far, or so much changed that loading is cheaper.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    Task<LogPage?> ReadAsync(LogPosition after, CancellationToken stop);

    /// <summary>
    /// Called by the committing loop for each transaction, in order, after its sync and before its acknowledgements.
    /// The callback must not block. It may miss transactions: <see cref="LogPage.After"/> tells.
    /// </summary>
    IDisposable Follow(Action<LogPage> committed);
}

/// <summary>A resourceVersion, and the timeline in which it means something.</summary>
public sealed record LogPosition(string Timeline, long Version);

/// <summary>All changes after one version and up to another. Their <see cref="StoreChange.Previous"/> is left to the follower, who holds it.</summary>
public sealed record LogPage(LogPosition Through, long After, IReadOnlyList<StoreChange> Changes);

/// <param name="LogStart">The log holds every change after this version.</param>
public sealed record StoreImage(LogPosition Position, IReadOnlyList<StoredObject> Objects, long LogStart, IReadOnlyList<StoreChange> Log);
