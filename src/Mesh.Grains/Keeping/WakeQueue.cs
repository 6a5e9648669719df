using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Grains to wake, each once with the newest version asked for, at most 64 calls at a time. Holds no more entries than
/// there are grains.
/// </summary>
internal sealed class WakeQueue(IGrainFactory grains, TimeProvider time, ILogger log) : IDisposable
{
    public const int AtOnce = 64;

    private const int Tries = 5;
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly Queue<KeptGrain> _order = new();
    private readonly Dictionary<KeptGrain, long> _versions = [];
    private readonly SemaphoreSlim _waiting = new(0);

    public void Add(KeptGrain grain, long version)
    {
        lock (_gate)
        {
            if (_versions.TryGetValue(grain, out var known))
            {
                _versions[grain] = Math.Max(known, version);
                return;
            }

            _versions[grain] = version;
            _order.Enqueue(grain);
        }

        _waiting.Release();
    }

    public Task RunAsync(ProcessLoops loops, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => loops.RunAsync("keeper: wakes", WorkAsync, stop)));

    public void Dispose() => _waiting.Dispose();

    private async Task WorkAsync(CancellationToken stop)
    {
        while (true)
        {
            await _waiting.WaitAsync(stop);
            KeptGrain grain;
            long version;
            lock (_gate)
            {
                grain = _order.Dequeue();
                _versions.Remove(grain, out version);
            }

            await WakeAsync(grain, version, stop);
        }
    }

    private async Task WakeAsync(KeptGrain grain, long version, CancellationToken stop)
    {
        for (var tries = 0; tries < Tries; tries++)
        {
            try
            {
                await grain.WakeAsync(grains, version, stop);
                return;
            }
#pragma warning disable CA1031 // The boundary of one call: whatever the grain threw, it is asked again now and with the next sweep.
            catch (Exception failure) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.NotWoken(grain.Kind.ToString(), grain.Key, failure);
            }

            await Task.Delay(TryAgainAfter, time, stop);
        }
    }
}
