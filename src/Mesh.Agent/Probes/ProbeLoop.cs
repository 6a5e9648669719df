using System.Net;
using System.Threading.Channels;
using Mesh.Core.Services;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent.Probes;

/// <summary>
/// Probes every Pod of the machine from one loop with one timer: what is due stands in a queue by time, so ten thousand
/// Pods cost ten thousand entries.
/// </summary>
internal sealed class ProbeLoop(ProbeRunner runner, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>More attempts than this at a time wait; a hanging Pod holds its place for its timeout only.</summary>
    private const int AtOnce = 512;

    /// <summary>However often a Pod is suspected, it is tried at most this often.</summary>
    private static readonly TimeSpan HurryGap = TimeSpan.FromMilliseconds(50);

    /// <summary>A probe may be due in 68 years, which no timer can wait for: the loop looks again before.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>After an exception that nothing here expects: the loop goes on, and does not spin.</summary>
    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<ProbeTarget, long> _due = new();
    private readonly Dictionary<IPEndPoint, List<ProbeTarget>> _byEndpoint = [];
    private readonly HashSet<Task> _running = [];
    private readonly SemaphoreSlim _slots = new(AtOnce);
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Add(ProbeTarget target)
    {
        lock (_gate)
        {
            foreach (var endpoint in Suspectable(target))
            {
                if (!_byEndpoint.TryGetValue(endpoint, out var targets))
                {
                    _byEndpoint.Add(endpoint, targets = []);
                }

                targets.Add(target);
            }

            Schedule(target, time.GetTimestamp() + Ticks(target.Spec.InitialDelay));
        }

        _wake.Writer.TryWrite(true);
    }

    public void Remove(ProbeTarget target)
    {
        lock (_gate)
        {
            target.IsRemoved = true;
            foreach (var endpoint in Suspectable(target))
            {
                if (_byEndpoint.TryGetValue(endpoint, out var targets) && targets.Remove(target) && targets.Count == 0)
                {
                    _byEndpoint.Remove(endpoint);
                }
            }
        }
    }

    /// <summary>Somebody could not connect there: try now instead of when it is due.</summary>
    public void Suspect(IPEndPoint endpoint)
    {
        lock (_gate)
        {
            foreach (var target in _byEndpoint.GetValueOrDefault(endpoint, []))
            {
                Hurry(target);
            }
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>Where readiness is that the ports accept: a probe of the user's own keeps its rhythm.</summary>
    private static IEnumerable<IPEndPoint> Suspectable(ProbeTarget target) => target.Spec.Action is null
        ? target.Spec.Ports.Where(port => port.Protocol == TransportProtocol.Tcp).Select(port => new IPEndPoint(target.Spec.Address, port.Number))
        : [];

    private void Hurry(ProbeTarget target)
    {
        if (target.IsRunning)
        {
            target.IsHurried = true;
            return;
        }

        var soonest = Math.Max(time.GetTimestamp(), target.Started + Ticks(HurryGap));
        if (soonest < target.Due)
        {
            Schedule(target, soonest);
        }
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>Runs until stopped; its owner awaits it.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await using var timer = time.CreateTimer(_ => _wake.Writer.TryWrite(true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                await RunOnceAsync(timer, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The owner stops it.
        }
        finally
        {
            Task[] running;
            lock (_gate)
            {
                running = [.. _running];
            }

            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Begins what is due, and sleeps until something is.</summary>
    private async Task RunOnceAsync(ITimer timer, CancellationToken stop)
    {
        try
        {
            while (TakeDue() is { } target)
            {
                await _slots.WaitAsync(stop);
                var attempt = AttemptAsync(target, stop);
                lock (_gate)
                {
                    _running.Add(attempt);
                    if (_running.Count > 2 * AtOnce)
                    {
                        _running.RemoveWhere(task => task.IsCompleted);
                    }
                }
            }

            timer.Change(UntilNext(), Timeout.InfiniteTimeSpan);
            await _wake.Reader.ReadAsync(stop);
        }
#pragma warning disable CA1031 // The boundary of the loop: whatever happens, the other Pods are probed on.
        catch (Exception failed) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            logger.ProbeLoopFailed(failed);
            await Task.Delay(PauseAfterFault, time, stop);
        }
    }

    private ProbeTarget? TakeDue()
    {
        lock (_gate)
        {
            while (_due.TryPeek(out var target, out var at))
            {
                if (target.IsRemoved || target.IsRunning || target.Due != at)
                {
                    _due.Dequeue();
                    continue;
                }

                if (at > time.GetTimestamp())
                {
                    return null;
                }

                _due.Dequeue();
                target.IsRunning = true;
                target.Started = time.GetTimestamp();
                return target;
            }

            return null;
        }
    }

    private TimeSpan UntilNext()
    {
        lock (_gate)
        {
            if (!_due.TryPeek(out _, out var at))
            {
                return Timeout.InfiniteTimeSpan;
            }

            var left = time.GetElapsedTime(time.GetTimestamp(), at);
            return left < TimeSpan.Zero ? TimeSpan.Zero : left < LongestWait ? left : LongestWait;
        }
    }

    private async Task AttemptAsync(ProbeTarget target, CancellationToken stop)
    {
        try
        {
            if (Settle(target, await TryAsync(target, stop)))
            {
                await target.TellAsync();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody wants to know any more.
        }
#pragma warning disable CA1031 // The boundary of one attempt: what could not be told is told after the next one.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            logger.ProbeNotTold(failed, target.Spec.Address.ToString());
            lock (_gate)
            {
                target.IsUntold = true;
            }
        }
        finally
        {
            _slots.Release();
            _wake.Writer.TryWrite(true);
        }
    }

    private async Task<ProbeFailure?> TryAsync(ProbeTarget target, CancellationToken stop)
    {
        try
        {
            return await runner.TryAsync(target.Spec, stop);
        }
#pragma warning disable CA1031 // The boundary of the loop: what one Pod's server does to a probe is that Pod's failure only.
        catch (Exception failed) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            logger.ProbeFailed(failed, target.Spec.Address.ToString());
            return new ProbeFailure(failed.Message);
        }
    }

    private bool Settle(ProbeTarget target, ProbeFailure? failure)
    {
        lock (_gate)
        {
            target.IsRunning = false;
            if (target.IsRemoved)
            {
                return false;
            }

            var gap = target.IsHurried ? HurryGap : target.Spec.Period;
            target.IsHurried = false;
            // Counted from start to start, as a ticker; a probe that took longer than its period starts again at once.
            Schedule(target, Math.Max(time.GetTimestamp(), target.Started + Ticks(gap)));
            return target.Count(failure);
        }
    }

    private void Schedule(ProbeTarget target, long at)
    {
        target.Due = at;
        _due.Enqueue(target, at);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
