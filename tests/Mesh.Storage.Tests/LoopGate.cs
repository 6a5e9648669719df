namespace Mesh.Storage.Tests;

/// <summary>Holds the committing loop after a transaction, so that what comes meanwhile gathers.</summary>
internal sealed class LoopGate : IDisposable
{
    private readonly ManualResetEventSlim _open = new(initialState: true);
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IDisposable _following;

    public LoopGate(IChangeLog log) => _following = log.Follow(_ =>
    {
        _held.TrySetResult();
        _open.Wait(TestContext.Current.CancellationToken);
    });

    /// <summary>Commits once; the loop stands still until <see cref="Open"/>.</summary>
    public async Task<Task> HoldAsync(Func<Task> commit)
    {
        _open.Reset();
        var first = commit();
        await _held.Task;
        return first;
    }

    public void Open() => _open.Set();

    public void Dispose()
    {
        Open();
        _following.Dispose();
    }
}
