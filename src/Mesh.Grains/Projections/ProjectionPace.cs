namespace Mesh.Grains.Projections;

/// <summary>How fast one silo writes what only mirrors its state: 300 rows a second, so that the store stays free for what users ask.</summary>
public sealed class ProjectionPace(TimeProvider time)
{
    public const int RowsPerSecond = 300;

    private static readonly TimeSpan PerRow = TimeSpan.FromSeconds(1.0 / RowsPerSecond);
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private TimeSpan _owed;
    private long _at = time.GetTimestamp();

    /// <summary>Until so many rows may be written; at once while the last second wrote fewer than 300.</summary>
    public Task TakeAsync(int rows, CancellationToken stop)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var left = _owed - time.GetElapsedTime(_at, now);
            (_owed, _at) = ((left > TimeSpan.Zero ? left : TimeSpan.Zero) + (PerRow * rows), now);
            wait = _owed - Burst;
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, time, stop) : Task.CompletedTask;
    }
}
