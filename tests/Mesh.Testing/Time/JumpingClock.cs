namespace Mesh.Testing.Time;

/// <summary>
/// A clock over another one, to which happens what happens to those of real machines: somebody sets the wall clock, the
/// machine is suspended, the process is stopped for a while.
/// </summary>
public sealed class JumpingClock(TimeProvider inner) : TimeProvider
{
    private long _wall;
    private long _counted;

    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _wall));

    public override long GetTimestamp() => inner.GetTimestamp() + (long)(TimeSpan.FromTicks(Volatile.Read(ref _counted)).TotalSeconds * TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);

    /// <summary>The wall clock is set, by hand or by NTP. A suspended machine looks the same: what Linux counts stands still while it sleeps.</summary>
    public void SetWall(TimeSpan by) => Interlocked.Add(ref _wall, by.Ticks);

    /// <summary>The process was stopped: both clocks went on, and nothing of it ran, no timer either.</summary>
    public void Stop(TimeSpan @for)
    {
        Interlocked.Add(ref _wall, @for.Ticks);
        Interlocked.Add(ref _counted, @for.Ticks);
    }
}
