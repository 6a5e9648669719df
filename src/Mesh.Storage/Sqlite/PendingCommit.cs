using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Names;

namespace Mesh.Storage.Sqlite;

/// <summary>A commit on its way through the queue and the transaction to its answer.</summary>
internal sealed class PendingCommit
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;

    private readonly TaskCompletionSource<CommitOutcome> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;

    private PendingCommit(Prepared[] writes, CommitClass commitClass)
    {
        Writes = writes;
        Class = commitClass;
        Bytes = writes.Sum(prepared => (prepared.Write as Write.Put)?.Document.Length ?? 0L);
        Rows = writes.Count(prepared => prepared.Write is not Write.Check);
    }

    public IReadOnlyList<Prepared> Writes { get; }

    public CommitClass Class { get; }

    public long Bytes { get; }

    /// <summary>Writes that get a resourceVersion.</summary>
    public int Rows { get; }

    /// <summary>Reads and checks the documents on the caller's thread, so that the loop only splices and writes.</summary>
    public static bool TryCreate(
        IReadOnlyList<Write> writes,
        CommitClass commitClass,
        [NotNullWhen(true)] out PendingCommit? commit,
        [NotNullWhen(false)] out CommitOutcome.Refused? refusal)
    {
        ArgumentOutOfRangeException.ThrowIfZero(writes.Count, nameof(writes));
        commit = null;
        refusal = writes.Count > StoreLimits.MaxWritesPerCommit
            ? new CommitOutcome.Refused(StoreLimits.MaxWritesPerCommit, writes[StoreLimits.MaxWritesPerCommit], $"A commit has {StoreLimits.MaxWritesPerCommit} writes at most.")
            : null;

        var prepared = new Prepared[writes.Count];
        var written = new HashSet<ObjectKey>();
        for (var i = 0; refusal is null && i < writes.Count; i++)
        {
            refusal = TryPrepare(writes[i], written, out prepared[i]) is { } problem ? new CommitOutcome.Refused(i, writes[i], problem) : null;
        }

        if (refusal is null)
        {
            commit = new PendingCommit(prepared, commitClass);
        }

        return commit is not null;
    }

    /// <summary>False when its caller gave up while it waited.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Waiting) == Waiting;

    public void Answer(CommitOutcome outcome) => _answer.TrySetResult(outcome);

    public void Fail(Exception failure) => _answer.TrySetException(failure);

    /// <summary>Giving up counts only before the transaction took the commit; afterwards its outcome is moments away.</summary>
    public async Task<CommitOutcome> WaitAsync(CancellationToken stop)
    {
        await using var registration = stop.UnsafeRegister(
            (state, token) =>
            {
                var commit = (PendingCommit)state!;
                if (Interlocked.CompareExchange(ref commit._state, Cancelled, Waiting) == Waiting)
                {
                    commit._answer.TrySetCanceled(token);
                }
            },
            this);
        return await _answer.Task;
    }

    private static string? TryPrepare(Write write, HashSet<ObjectKey> written, out Prepared prepared)
    {
        prepared = new Prepared(write, null);
        if (write is not Write.Check && !written.Add(write.Key))
        {
            return $"One commit writes {write.Key} twice.";
        }

        if (write is not Write.Put put)
        {
            return null;
        }

        if (!DocumentScan.TryRead(put.Key, put.Document, out var scan, out var problem))
        {
            return problem;
        }

        prepared = new Prepared(write, scan);
        return null;
    }

    /// <summary>A write, with its document read.</summary>
    public readonly record struct Prepared(Write Write, DocumentScan? Scan);
}
