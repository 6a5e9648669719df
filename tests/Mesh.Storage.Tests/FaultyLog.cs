namespace Mesh.Storage.Tests;

/// <summary>A change log that can be deaf, silent, or another one from now on.</summary>
internal sealed class FaultyLog(IChangeLog log) : IChangeLog
{
    public IChangeLog Log { get; set; } = log;

    /// <summary>What the committing loop tells does not arrive.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>Looks at the counter get no answer.</summary>
    public bool IsSilent { get; set; }

    public int Looks { get; private set; }

    /// <summary>What the next read meets.</summary>
    public Exception? Fault { get; set; }

    /// <summary>What every read meets.</summary>
    public Exception? Faults { get; set; }

    /// <summary>Released by each read that meets it.</summary>
    public SemaphoreSlim Failed { get; } = new(0);

    public Task<StoreImage> LoadAsync(LogRetention keep, CancellationToken stop) => Log.LoadAsync(keep, stop);

    public async Task<LogPosition> PositionAsync(CancellationToken stop)
    {
        Looks++;
        if (IsSilent)
        {
            await new TaskCompletionSource().Task.WaitAsync(stop);
        }

        return await Log.PositionAsync(stop);
    }

    public Task<LogPage?> ReadAsync(LogPosition after, CancellationToken stop)
    {
        if (Faults is { } faults)
        {
            Failed.Release();
            throw faults;
        }

        if (Fault is { } fault)
        {
            Fault = null;
            throw fault;
        }

        return Log.ReadAsync(after, stop);
    }

    public IDisposable Follow(Action<LogPage> committed) => Log.Follow(page =>
    {
        if (!IsDeaf)
        {
            committed(page);
        }
    });
}
