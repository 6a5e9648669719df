using Mesh.Core.Names;

namespace Mesh.Storage;

/// <summary>The durable objects. What <see cref="CommitAsync"/> answered as committed survives kill -9 and power loss.</summary>
public interface IObjectStore
{
    /// <summary>
    /// Commits all writes or none. Each write gets a resourceVersion of its own, in order, spliced into the document's
    /// metadata; resourceVersion order is commit order over the whole store. Callers are gathered into one transaction;
    /// a failed precondition fails its own caller only.
    /// </summary>
    /// <param name="stop">Gives up while it waits for its turn; what the store has begun ends with its outcome.</param>
    /// <exception cref="OperationCanceledException">It was given up: nothing was written.</exception>
    /// <exception cref="StoreUnavailableException">Nothing was written.</exception>
    /// <exception cref="CommitOutcomeUnknownException">It may or may not have been written: read again before answering for it.</exception>
    Task<CommitOutcome> CommitAsync(IReadOnlyList<Write> writes, CommitClass commitClass, CancellationToken stop);

    /// <summary>Reads past every cache: for after an unknown outcome.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    Task<StoredObject?> ReadAsync(ObjectKey key, CancellationToken stop);
}

/// <summary>Projections (status, slices, Events) always wait behind what users asked for.</summary>
public enum CommitClass
{
    Request,
    Projection,
}

/// <summary>One part of a commit.</summary>
public abstract record Write
{
    private Write()
    {
    }

    public abstract ObjectKey Key { get; init; }

    /// <summary>Creates or replaces. The document carries no resourceVersion (or any: it is replaced).</summary>
    public sealed record Put(ObjectKey Key, ReadOnlyMemory<byte> Document, Precondition If) : Write
    {
        public override ObjectKey Key { get; init; } = Key;
    }

    /// <summary>Deletes; the log keeps the last document with the deletion's resourceVersion.</summary>
    public sealed record Delete(ObjectKey Key, Precondition If) : Write
    {
        public override ObjectKey Key { get; init; } = Key;
    }

    /// <summary>Writes nothing; the commit fails unless the object meets the precondition (such as: the Namespace is active).</summary>
    public sealed record Check(ObjectKey Key, Precondition If) : Write
    {
        public override ObjectKey Key { get; init; } = Key;
    }
}

public abstract record Precondition
{
    private Precondition()
    {
    }

    public static Precondition None { get; } = new Anything();

    public static Precondition Absence { get; } = new Absent();

    public static Precondition Activity { get; } = new Active();

    public sealed record Anything : Precondition;

    /// <summary>No object has this key.</summary>
    public sealed record Absent : Precondition;

    /// <summary>The object exists and is not being deleted.</summary>
    public sealed record Active : Precondition;

    /// <summary>The object exists with this resourceVersion (0: any) and this uid (null: any).</summary>
    public sealed record Is(long ResourceVersion, string? Uid = null) : Precondition;
}

public abstract record CommitOutcome
{
    private CommitOutcome()
    {
    }

    /// <summary>The objects as stored, parallel to the writes; null for deletes and checks.</summary>
    /// <param name="Version">resourceVersion of the last write.</param>
    public sealed record Committed(IReadOnlyList<StoredObject?> Objects, long Version) : CommitOutcome;

    /// <summary>The precondition of the write at <paramref name="Index"/> did not hold. <paramref name="Current"/>: what is there, null when absent.</summary>
    public sealed record Failed(int Index, Write Write, StoredObject? Current) : CommitOutcome;

    /// <summary>The write at <paramref name="Index"/> can never be stored: not a JSON object, too large, or its key written twice by one commit.</summary>
    public sealed record Refused(int Index, Write Write, string Reason) : CommitOutcome;
}

/// <summary>The store cannot be reached or refused; nothing was written.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The connection was lost between sending a commit and its answer.</summary>
public sealed class CommitOutcomeUnknownException(string message, Exception? inner = null) : Exception(message, inner);
