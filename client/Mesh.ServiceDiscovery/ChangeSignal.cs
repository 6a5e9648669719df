using Microsoft.Extensions.Primitives;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// Change tokens, one after the other: a change fires at once when the last is long enough ago, else when it is. A token of
/// a cancellation keeps that it has fired, so one that fires while nobody listens is found by who looks next.
/// </summary>
internal sealed class ChangeSignal : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _least;
    private readonly Action<Exception> _failed;
    private CancellationTokenSource _next = new();
    private ITimer? _later;
    private long? _fired;
    private bool _isWaiting;

    /// <param name="failed">Told what a listener threw: it must not end the loop that fires.</param>
    public ChangeSignal(TimeProvider time, TimeSpan least, Action<Exception> failed) => (_time, _least, _failed) = (time, least, failed);

    public IChangeToken Token => new CancellationChangeToken(Volatile.Read(ref _next).Token);

    public void Fire()
    {
        lock (_gate)
        {
            if (_isWaiting)
            {
                return;
            }

            var since = _fired is { } fired ? _time.GetElapsedTime(fired) : _least;
            if (since < _least)
            {
                _isWaiting = true;
                _later?.Dispose();
                _later = _time.CreateTimer(_ => Now(), null, _least - since, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        Now();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _later?.Dispose();
        }
    }

    private void Now()
    {
        lock (_gate)
        {
            (_isWaiting, _fired) = (false, _time.GetTimestamp());
        }

        // Not disposed: tokens of it are still read.
        var fired = Interlocked.Exchange(ref _next, new CancellationTokenSource());
        try
        {
            fired.Cancel();
        }
        catch (AggregateException thrown)
        {
            _failed(thrown);
        }
    }
}
