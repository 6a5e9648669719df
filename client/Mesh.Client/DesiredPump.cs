using System.Threading.Channels;

namespace Mesh.Client;

/// <summary>
/// Holds what the application wants its Pod to be, and tells the node of changes: one request in flight, what changes
/// meanwhile is folded into the next, so a slow node costs no memory.
/// </summary>
/// <param name="tell">Tells the node; while it is away this returns at once, since the next stream tells everything.</param>
internal sealed class DesiredPump(PodDesired initial, Func<bool, PodMetadataPatch?, CancellationToken, Task> tell)
{
    private readonly Lock _lock = new();
    private readonly Channel<bool> _dirty = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private List<TaskCompletionSource> _waiting = [];
    private PodMetadataPatch? _metadata;
    private PodDesired _desired = initial;
    private bool _isRunning;

    public PodDesired Desired
    {
        get
        {
            lock (_lock)
            {
                return _desired;
            }
        }
    }

    /// <summary>Changes what is wanted; it is told soon.</summary>
    public void Change(Func<PodDesired, PodDesired> change)
    {
        lock (_lock)
        {
            _desired = change(_desired);
        }

        _dirty.Writer.TryWrite(true);
    }

    /// <summary>Changes what is wanted, and completes when it was told.</summary>
    public async Task ChangeAsync(Func<PodDesired, PodDesired> change, PodMetadataPatch? metadata, CancellationToken stop)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _metadata = metadata?.Over(_metadata) ?? _metadata;
            if (_isRunning)
            {
                _waiting.Add(told);
            }
            else
            {
                told.SetResult(); // the first stream tells it
            }
        }

        Change(change);
        await told.Task.WaitAsync(stop);
    }

    public async Task RunAsync(CancellationToken stop)
    {
        lock (_lock)
        {
            _isRunning = true;
        }

        try
        {
            while (await _dirty.Reader.ReadAsync(stop))
            {
                await TellAsync(stop);
            }
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                _isRunning = false;
            }

            Take().Waiting.ForEach(told => told.TrySetResult());
        }
    }

    private async Task TellAsync(CancellationToken stop)
    {
        var (waiting, metadata, ready) = Take();
        try
        {
            await tell(ready, metadata, stop);
        }
        finally
        {
            waiting.ForEach(told => told.TrySetResult());
        }
    }

    private (List<TaskCompletionSource> Waiting, PodMetadataPatch? Metadata, bool Ready) Take()
    {
        lock (_lock)
        {
            var taken = (_waiting, _metadata, _desired.IsReady);
            (_waiting, _metadata) = ([], null);
            return taken;
        }
    }
}
