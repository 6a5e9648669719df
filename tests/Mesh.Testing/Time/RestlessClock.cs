namespace Mesh.Testing.Time;

/// <summary>
/// A clock over another one, to which everything happens all the time: each reading of its wall time is an hour, or the minute
/// that a machine slept, away from the one before, and for each ten seconds the process was stopped for a minute.
/// </summary>
/// <param name="isStopped">False over a clock that a test moves: it counts what it moved.</param>
public sealed class RestlessClock(TimeProvider inner, bool isStopped = true) : TimeProvider
{
    private static readonly TimeSpan StopEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan[] Away =
        [TimeSpan.Zero, -TimeSpan.FromHours(1), TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.Zero, TimeSpan.FromHours(1), -TimeSpan.FromHours(1)];

    private readonly long _began = inner.GetTimestamp();
    private uint _readings;

    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + Away[Interlocked.Increment(ref _readings) % Away.Length];

    public override long GetTimestamp()
    {
        var now = inner.GetTimestamp();
        var stops = !isStopped ? 0 : (long)(inner.GetElapsedTime(_began, now) / StopEvery);
        return now + (stops * (long)(StopFor.TotalSeconds * TimestampFrequency));
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);
}
