namespace Mesh.Grains.Delivery;

/// <summary>Waits between tries: 20 ms doubling to 1 s, each between half and the whole of it.</summary>
public sealed class Backoff(TimeProvider time, Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(1);
    private TimeSpan _next = First;

    public void Reset() => _next = First;

    public Task WaitAsync(CancellationToken stop)
    {
        var wait = _next * (0.5 + (random.NextDouble() / 2));
        _next = _next * 2 > Most ? Most : _next * 2;
        return Task.Delay(wait, time, stop);
    }
}
