using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Testing.Time;

/// <summary>A clock that the test moves, and that throws where the test says: every loop asks a clock, and none expects that.</summary>
public sealed class PlantedTime : FakeTimeProvider
{
    private int _timestamps;
    private int _timers;
    private Func<TimeSpan, TimeSpan, bool> _fails = static (_, _) => false;

    private readonly Channel<bool> _made = Channel.CreateBounded<bool>(1000);

    /// <summary>Nobody is told what time it is.</summary>
    public bool NowFails { get; set; }

    /// <summary>Of <see cref="FailTimestamps"/>, those that nobody has met yet.</summary>
    public int TimestampsToFail => Volatile.Read(ref _timestamps);

    /// <summary>The same of timers.</summary>
    public int TimersToFail => Volatile.Read(ref _timers);

    public static Exception Planted() => new InvalidOperationException("planted");

    /// <summary>The next so many who ask how much time has passed meet an exception.</summary>
    public void FailTimestamps(int times) => Volatile.Write(ref _timestamps, times);

    /// <summary>
    /// The next so many timers of this kind, by due time and period, cannot be made. Not of a <see cref="PeriodicTimer"/>: one
    /// that was half made ends the process when it is finalized.
    /// </summary>
    public void FailTimers(int times, Func<TimeSpan, TimeSpan, bool> which)
    {
        _fails = which;
        Volatile.Write(ref _timers, times);
    }

    public override long GetTimestamp() => Volatile.Read(ref _timestamps) > 0 && Interlocked.Decrement(ref _timestamps) >= 0 ? throw Planted() : base.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => NowFails ? throw Planted() : base.GetUtcNow();

    /// <summary>Until one more timer was made.</summary>
    public async Task NextTimerAsync(CancellationToken stop) => await _made.Reader.ReadAsync(stop);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (Volatile.Read(ref _timers) > 0 && _fails(dueTime, period) && Interlocked.Decrement(ref _timers) >= 0)
        {
            throw period == Timeout.InfiniteTimeSpan ? Planted() : new NotSupportedException();
        }

        var timer = base.CreateTimer(callback, state, dueTime, period);
        _made.Writer.TryWrite(true);
        return timer;
    }
}
