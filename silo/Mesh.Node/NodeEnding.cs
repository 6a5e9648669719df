namespace Mesh.Node;

/// <summary>Asks the process to drain and end, and tells when it has drained.</summary>
internal sealed class NodeEnding : IDisposable
{
    private readonly CancellationTokenSource _requested = new();
    private readonly CancellationTokenRegistration _signal;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _why;

    public NodeEnding(CancellationToken signal)
    {
        _signal = signal.Register(() => Request("it was asked to by a signal"));
    }

    public CancellationToken Requested => _requested.Token;

    public string Why => Volatile.Read(ref _why) ?? "";

    public Task Drained => _drained.Task;

    /// <summary>It ends because something in it broke: whoever supervises it is to see that.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The first reason is the one that is told.</summary>
    public void Request(string why)
    {
        Interlocked.CompareExchange(ref _why, why, null);
        _requested.Cancel();
    }

    /// <inheritdoc cref="Request"/>
    public void Fail(string why)
    {
        HasFailed = true;
        Request(why);
    }

    public void OnDrained() => _drained.TrySetResult();

    public void Dispose()
    {
        _signal.Dispose();
        _requested.Dispose();
    }
}
