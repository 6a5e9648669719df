using Mesh.Core;

namespace Mesh.Agent.Probes;

/// <summary>
/// Which attempt is next, by time, and which are under way: no more than there are places. A Pod that is silent holds its place for its
/// timeout, and others do not wait for that: held under the lock of <see cref="ProbeLoop"/>.
/// </summary>
/// <param name="places">Attempts at a time: each has a descriptor.</param>
internal sealed class ProbeQueue(ProbeRunner runner, TimeProvider time, int places)
{
    /// <summary>What an attempt has in any case; then it gives its place to another Pod if there is no other, and counts for nothing.</summary>
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);

    /// <summary>A probe may be due in 68 years, which no timer can wait for: the loop looks again before.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly PriorityQueue<ProbeTarget, long> _due = new();
    private readonly LinkedList<ProbeTarget> _underWay = []; // in the order in which they began

    private ProbeTarget? Oldest => _underWay.Count >= places ? _underWay.First!.Value : null;

    public void Schedule(ProbeTarget target, long at)
    {
        target.Due = at;
        _due.Enqueue(target, at);
    }

    /// <summary>Begins the next attempt that is due; null when none is, or when it has to wait for a place.</summary>
    public (ProbeTarget Target, ProbeAttempt Attempt)? TakeDue(CancellationToken stop)
    {
        if (!IsDue() || _underWay.Count >= places)
        {
            return null;
        }

        var target = _due.Peek();
        var attempt = runner.Begin(target.Spec, stop); // if that fails, the Pod is still due
        _due.Dequeue();
        (target.Started, target.Attempt) = (time.GetTimestamp(), attempt);
        target.Place = _underWay.AddLast(target);
        return (target, attempt);
    }

    /// <summary>While somebody waits for a place, the attempt that has lasted longest and long enough is to give up its own, one at a time.</summary>
    public ProbeAttempt? TakeCut() =>
        IsDue() && Oldest is { Attempt: { IsCut: false } attempt } oldest && time.GetElapsedTime(oldest.Started) >= LeastTime ? attempt : null;

    public void End(ProbeTarget target)
    {
        _underWay.Remove(target.Place!);
        (target.Attempt, target.Place) = (null, null);
    }

    /// <summary>How long there is nothing to do, unless something ends.</summary>
    public TimeSpan UntilNext()
    {
        var isDue = IsDue();
        if (isDue && Oldest is { } oldest)
        {
            return oldest.Attempt!.IsCut ? Timeout.InfiniteTimeSpan : Left(oldest.Started + (long)(LeastTime.TotalSeconds * time.TimestampFrequency));
        }

        return _due.TryPeek(out _, out var at) ? Left(at) : Timeout.InfiniteTimeSpan;
    }

    /// <summary>Whether one waits for its time no longer.</summary>
    private bool IsDue()
    {
        while (_due.TryPeek(out var target, out var at))
        {
            if (!target.IsRemoved && target.Attempt is null && target.Due == at)
            {
                return at <= time.GetTimestamp();
            }

            _due.Dequeue();
        }

        return false;
    }

    private TimeSpan Left(long at) => UserSeconds.AtMost(time.GetElapsedTime(time.GetTimestamp(), at), LongestWait);
}
