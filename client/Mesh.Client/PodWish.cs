namespace Mesh.Client;

/// <summary>
/// What the application wants its Pod to be, beside what the node has been told of it. What differs is told: one change in
/// flight, everything meanwhile folded into the next, so a slow node costs no memory and no wish is lost between two streams.
/// </summary>
internal sealed class PodWish(PodDesired initial)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _moved = NewSignal();
    private PodDesired _desired = initial;
    private PodDesired? _told;

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

    public PodDesired Change(Func<PodDesired, PodDesired> change)
    {
        lock (_lock)
        {
            _desired = change(_desired) with { Version = _desired.Version + 1 };
            Move();
            return _desired;
        }
    }

    /// <summary>A stream is open, and began with this.</summary>
    /// <param name="address">What the node gave; the server is bound to it, so a new Pod after this one asks for the same.</param>
    public void Opened(PodDesired with, string address)
    {
        lock (_lock)
        {
            _desired = _desired.Address == MeshOptions.AllocateAddress ? _desired with { Address = address } : _desired;
            _told = with;
            Move();
        }
    }

    /// <summary>No stream: nobody can be told, and the next stream tells everything.</summary>
    public void Closed()
    {
        lock (_lock)
        {
            _told = null;
            Move();
        }
    }

    /// <summary>The node has a change, unless another stream has begun meanwhile.</summary>
    public bool Told(PodDesired before, PodDesired now)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_told, before))
            {
                return false;
            }

            _told = now;
            Move();
            return true;
        }
    }

    /// <summary>Completes when the node has this version, or nobody can be told.</summary>
    public async Task ToldAsync(long version, CancellationToken stop)
    {
        while (true)
        {
            Task moved;
            lock (_lock)
            {
                if (_told is null || _told.Version >= version)
                {
                    return;
                }

                moved = _moved.Task;
            }

            await moved.WaitAsync(stop);
        }
    }

    /// <summary>Completes when there is something to tell.</summary>
    public async Task<(PodDesired Told, PodDesired Desired)> UntoldAsync(CancellationToken stop)
    {
        while (true)
        {
            Task moved;
            lock (_lock)
            {
                if (_told is not null && _told.Version < _desired.Version)
                {
                    return (_told, _desired);
                }

                moved = _moved.Task;
            }

            await moved.WaitAsync(stop);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Move()
    {
        _moved.SetResult();
        _moved = NewSignal();
    }
}
