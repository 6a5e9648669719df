namespace Mesh.Grains.Objects;

/// <summary>
/// One writer of an object at a time. A projection, whose commit stands behind everybody's requests, gives the turn up for
/// whoever asks for this object: it would make a request wait for all others. For one grain.
/// </summary>
internal sealed class WriteTurn : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private CancellationTokenSource? _projecting;
    private int _asking;

    /// <summary>Somebody has the turn.</summary>
    public bool IsTaken => _turn.CurrentCount == 0;

    public async Task<T> AskAsync<T>(Func<Task<T>> write, CancellationToken stop)
    {
        _asking++;
        try
        {
            var turn = _turn.WaitAsync(stop); // in the row before the projection leaves it: that one queues up behind
            if (_projecting is { } projecting)
            {
                await projecting.CancelAsync();
            }

            await turn;
        }
        finally
        {
            _asking--;
        }

        try
        {
            return await write();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <param name="write">Called again after it gave way: then its token is cancelled, and nothing of it was written.</param>
    public async Task<T> ProjectAsync<T>(Func<CancellationToken, Task<T>> write, CancellationToken stop)
    {
        while (true)
        {
            await _turn.WaitAsync(stop);
            using var giveWay = new CancellationTokenSource();
            try
            {
                if (_asking == 0)
                {
                    _projecting = giveWay;
                    return await write(giveWay.Token);
                }
            }
            catch (OperationCanceledException) when (giveWay.IsCancellationRequested)
            {
                // Behind who asked.
            }
            finally
            {
                _projecting = null;
                _turn.Release();
            }
        }
    }

    public void Dispose() => _turn.Dispose();
}
