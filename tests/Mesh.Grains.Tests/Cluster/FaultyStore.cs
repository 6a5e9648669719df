using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>What goes wrong with a commit.</summary>
public enum StoreFault
{
    None,

    /// <summary>The store refuses: nothing was written.</summary>
    Unavailable,

    /// <summary>The answer is lost, and nothing was written.</summary>
    UnknownNotWritten,

    /// <summary>The answer is lost, though all was written.</summary>
    UnknownWritten,
}

/// <summary>The real store, with faults that a test chooses.</summary>
public sealed class FaultyStore(IObjectStore store) : IObjectStore
{
    private Func<IReadOnlyList<Write>, CommitClass, StoreFault> _choose = (_, _) => StoreFault.None;
    private Func<IReadOnlyList<Write>, CommitClass, Task> _hold = (_, _) => Task.CompletedTask;
    private TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _reads;

    /// <summary>Reads past the caches so far.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public void Choose(Func<IReadOnlyList<Write>, CommitClass, StoreFault> fault) => Volatile.Write(ref _choose, fault);

    public void Heal()
    {
        Volatile.Write(ref _choose, (_, _) => StoreFault.None);
        Volatile.Write(ref _hold, (_, _) => Task.CompletedTask);
        Interlocked.Exchange(ref _open, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>Commits hang from now on, until <see cref="Heal"/>.</summary>
    public void Block() => Block((_, _) => true);

    /// <summary>Some commits hang from now on, until <see cref="Heal"/>, as those do that stand in the store's queue.</summary>
    /// <returns>Completes when the first of them has come.</returns>
    public Task Block(Func<IReadOnlyList<Write>, CommitClass, bool> which)
    {
        var come = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var open = Volatile.Read(ref _open).Task;
        Volatile.Write(ref _hold, (writes, commitClass) =>
        {
            if (!which(writes, commitClass))
            {
                return Task.CompletedTask;
            }

            come.TrySetResult();
            return open;
        });
        return come.Task;
    }

    public async Task<CommitOutcome> CommitAsync(IReadOnlyList<Write> writes, CommitClass commitClass, CancellationToken stop)
    {
        await Volatile.Read(ref _hold)(writes, commitClass).WaitAsync(stop);
        var fault = Volatile.Read(ref _choose)(writes, commitClass);
        if (fault == StoreFault.Unavailable)
        {
            throw new StoreUnavailableException("the test's store refuses");
        }

        if (fault == StoreFault.UnknownNotWritten)
        {
            throw new CommitOutcomeUnknownException("the test lost the answer, and the commit");
        }

        var outcome = await store.CommitAsync(writes, commitClass, stop);
        return fault == StoreFault.UnknownWritten ? throw new CommitOutcomeUnknownException("the test lost the answer") : outcome;
    }

    public Task<StoredObject?> ReadAsync(ObjectKey key, CancellationToken stop)
    {
        Interlocked.Increment(ref _reads);
        return store.ReadAsync(key, stop);
    }
}
