using System.Net;
using System.Threading.Channels;
using Mesh.Core.Services;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent.Probes;

/// <summary>
/// Probes every Pod of the machine from one loop with one timer: what is due stands in a queue by time, so ten thousand
/// Pods cost ten thousand entries.
/// </summary>
/// <param name="places">Attempts at a time.</param>
internal sealed class ProbeLoop(ProbeRunner runner, TimeProvider time, ILogger logger, int places = ProbeLoop.MostPlaces)
{
    /// <summary>A place is a descriptor, and a silent Pod holds its place for its timeout.</summary>
    public const int MostPlaces = 1024;

    /// <summary>Until the next look at a Pod that could not be tried, or that is in doubt.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>However often a Pod is suspected, it is tried at most this often.</summary>
    private static readonly TimeSpan HurryGap = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly ProbeQueue _queue = new(runner, time, places);
    private readonly Dictionary<IPEndPoint, List<ProbeTarget>> _byEndpoint = [];
    private readonly HashSet<Task> _running = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ToldSeldom _untried = new(time);

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

            _queue.Schedule(target, time.GetTimestamp() + Ticks(target.Spec.InitialDelay));
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
        if (target.Attempt is not null)
        {
            target.IsHurried = true;
            return;
        }

        var soonest = Math.Max(time.GetTimestamp(), target.Started + Ticks(HurryGap));
        if (soonest < target.Due)
        {
            _queue.Schedule(target, soonest);
        }
    }

    /// <summary>Runs until stopped. Its owner runs it again when an exception ended it: what is due is kept here, and attempts go on.</summary>
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
        finally
        {
            if (stop.IsCancellationRequested)
            {
                await FinishAsync();
            }
        }
    }

    private async Task FinishAsync()
    {
        Task[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Begins what is due, and sleeps until something is.</summary>
    private async Task RunOnceAsync(ITimer timer, CancellationToken stop)
    {
        while (Take(queue => queue.TakeDue(stop)) is var (target, attempt))
        {
            var running = AttemptAsync(target, attempt, stop);
            lock (_gate)
            {
                _running.Add(running);
                if (_running.Count > 2 * places)
                {
                    _running.RemoveWhere(task => task.IsCompleted);
                }
            }
        }

        Take(static queue => queue.TakeCut())?.Cut();
        timer.Change(Take(static queue => queue.UntilNext()), Timeout.InfiniteTimeSpan);
        await _wake.Reader.ReadAsync(stop);
    }

    private T Take<T>(Func<ProbeQueue, T> ask)
    {
        lock (_gate)
        {
            return ask(_queue);
        }
    }

    private async Task AttemptAsync(ProbeTarget target, ProbeAttempt attempt, CancellationToken stop)
    {
        try
        {
            if (Settle(target, await TryAsync(target, attempt, stop)))
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
            _wake.Writer.TryWrite(true);
        }
    }

    private async Task<ProbeOutcome> TryAsync(ProbeTarget target, ProbeAttempt attempt, CancellationToken stop)
    {
        try
        {
            using (attempt)
            {
                return await runner.TryAsync(target.Spec, attempt, stop);
            }
        }
#pragma warning disable CA1031 // The boundary of the loop: what one Pod's server does to a probe is that Pod's failure only.
        catch (Exception failed) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            logger.ProbeFailed(failed, target.Spec.Address.ToString());
            return new ProbeOutcome.Failed(failed.Message);
        }
    }

    private bool Settle(ProbeTarget target, ProbeOutcome outcome)
    {
        lock (_gate)
        {
            _queue.End(target);
            if (target.IsRemoved)
            {
                return false;
            }

            // A node without descriptors has a thousand probes a second that it cannot make.
            if (outcome is ProbeOutcome.NotTried untried && _untried.Count() > 0)
            {
                logger.ProbeNotTried(untried.Why);
            }

            var isNews = target.Count(outcome);
            // Counted from start to start, as a ticker; a probe that took longer than its period starts again at once.
            _queue.Schedule(target, Math.Max(time.GetTimestamp(), target.Started + Ticks(GapAfter(target, outcome))));
            target.IsHurried = false;
            return isNews;
        }
    }

    private static TimeSpan GapAfter(ProbeTarget target, ProbeOutcome outcome)
    {
        if (target is { Spec.AnswersAt: not null, IsDoubted: true })
        {
            return target.Spec.Timeout; // the next attempt begins where this one ended in silence, and no sooner however it ended
        }

        var isSooner = outcome is ProbeOutcome.NotTried { IsCut: false } || (target.Spec.Action is null && target.IsDoubted);
        return target.IsHurried ? HurryGap : isSooner && target.Spec.Period > LookAgain ? LookAgain : target.Spec.Period;
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
