using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.Journal;

/// <summary>A record whose caller waits until a restarted node would find it, but not longer than a limit.</summary>
internal sealed class JournalEntry(JournalRecord record)
{
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public JournalRecord Record => record;

    /// <summary>False when its caller has given up: it was told that this is not written.</summary>
    public bool Complete() => _written.TrySetResult();

    public void Fail(Exception reason) => _written.TrySetException(reason);

    /// <exception cref="IOException">It is not written, and will not be.</exception>
    /// <exception cref="OperationCanceledException">The same.</exception>
    public async Task WrittenAsync(TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        try
        {
            await _written.Task.WaitAsync(limit, time, stop);
        }
        catch (TimeoutException)
        {
            _written.TrySetException(new IOException($"the disk has not answered for {limit.TotalSeconds} s"));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _written.TrySetCanceled(stop);
        }

        await _written.Task; // what was written in the last moment is written
    }
}
