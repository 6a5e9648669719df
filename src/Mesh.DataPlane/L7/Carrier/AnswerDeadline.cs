namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// Gives an endpoint a time to begin its answer, counted from the last piece of the request that it took. An answer that
/// has begun has no limit: a stream of events is silent for as long as nothing happens.
/// </summary>
#pragma warning disable CA1001 // Used by one exchange after another; disarmed, its source holds nothing that a disposal would free.
internal sealed class AnswerDeadline(TimeSpan limit, TimeProvider time)
#pragma warning restore CA1001
{
    private CancellationTokenSource? _source;
    private volatile bool _awaitsClient;
    private volatile bool _isOver; // a body may go on under the answer: its pieces arm nothing any more

    public bool HasPassed => _source is { IsCancellationRequested: true };

    /// <summary>Whether what did not come in time is the client's next piece, and not the endpoint's answer.</summary>
    public bool AwaitsClient => _awaitsClient;

    /// <summary>Whether this attempt has asked the client for its body.</summary>
    public bool BodyHasBegun { get; private set; }

    /// <summary>An attempt begins; the token ends it.</summary>
    public CancellationToken Begin()
    {
        _awaitsClient = _isOver = BodyHasBegun = false;
        if (_source is null || !_source.TryReset())
        {
            _source?.Dispose();
            _source = new CancellationTokenSource(limit, time);
        }
        else
        {
            _source.CancelAfter(limit);
        }

        return _source.Token;
    }

    /// <summary>A piece of the body is being written, or the last one was.</summary>
    public void AwaitEndpoint()
    {
        _awaitsClient = false;
        Extend();
    }

    /// <summary>The body begins, or the endpoint took a piece of it, and the next one has not come yet.</summary>
    public void AwaitClient()
    {
        _awaitsClient = BodyHasBegun = true;
        Extend();
    }

    /// <summary>The head of an answer came, or the attempt ended.</summary>
    public void End()
    {
        _isOver = true;
        _source?.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    private void Extend()
    {
        if (!_isOver)
        {
            _source?.CancelAfter(limit);
        }
    }
}
