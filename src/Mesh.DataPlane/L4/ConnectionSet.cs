namespace Mesh.DataPlane.L4;

/// <summary>The open connections of all Services: it owns their tasks, limits their number and ends them at shutdown.</summary>
internal sealed class ConnectionSet(int limit) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ServiceConnection, Task> _open = [];
    private readonly CancellationTokenSource _cut = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Cancelled when a drain has lasted long enough: every connection is to be reset.</summary>
    public CancellationToken Cut => _cut.Token;

    /// <summary>False when the limit is reached; then the connection was not started.</summary>
    public bool TryStart(ServiceConnection connection)
    {
        lock (_gate)
        {
            if (_open.Count >= limit)
            {
                return false;
            }

            _open.Add(connection, Task.CompletedTask);
        }

        var running = RunAsync(connection);
        lock (_gate)
        {
            if (_open.ContainsKey(connection))
            {
                _open[connection] = running; // it has not ended at once
            }
        }

        return true;
    }

    /// <summary>Waits until all connections have ended by themselves; at <paramref name="deadline"/> resets those that have not.</summary>
    public async Task DrainAsync(CancellationToken deadline)
    {
        try
        {
            await Task.WhenAll(Running()).WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            await _cut.CancelAsync();
            await Task.WhenAll(Running());
        }
    }

    public void Dispose() => _cut.Dispose();

    private async Task RunAsync(ServiceConnection connection)
    {
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            lock (_gate)
            {
                _open.Remove(connection);
            }
        }
    }

    private Task[] Running()
    {
        lock (_gate)
        {
            return [.. _open.Values];
        }
    }
}
