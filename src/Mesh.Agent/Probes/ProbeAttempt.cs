namespace Mesh.Agent.Probes;

/// <summary>The time that one attempt has: until its own is up, the node stops, or another Pod needs its place.</summary>
internal sealed class ProbeAttempt : IDisposable
{
    private readonly CancellationTokenSource _limit;
    private readonly CancellationTokenSource _either;

    public ProbeAttempt(TimeSpan timeout, TimeProvider time, CancellationToken stop)
    {
        _limit = new CancellationTokenSource(timeout, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token, stop);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>It gave up its place: it says nothing of its Pod.</summary>
    public bool IsCut { get; private set; }

    public void Cut()
    {
        IsCut = true;
        try
        {
            _limit.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    public void Dispose()
    {
        _either.Dispose();
        _limit.Dispose();
    }
}
