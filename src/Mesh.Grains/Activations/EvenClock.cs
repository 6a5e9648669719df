using Mesh.Core.Clocks;

namespace Mesh.Grains.Activations;

/// <summary>
/// A clock whose wall time nobody sets: that of its start, and what has been counted since. For Orleans' collector of idle
/// activations, which notes by wall time when each may go and refuses a moment before its last round: after a step back that
/// was longer than the collection age, no grain was activated until the clock had caught up.
/// </summary>
internal sealed class EvenClock(TimeProvider time) : TimeProvider
{
    private readonly DateTimeOffset _start = WallClock.Now(time);
    private readonly long _began = time.GetTimestamp();

    public override TimeZoneInfo LocalTimeZone => time.LocalTimeZone;

    public override long TimestampFrequency => time.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _start + time.GetElapsedTime(_began);

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);
}
