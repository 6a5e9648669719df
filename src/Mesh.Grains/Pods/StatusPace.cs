namespace Mesh.Grains.Pods;

/// <summary>
/// Paces status writes of one silo: 300 a second, with a second's worth saved up. A grain asks before each write, and
/// by then writes the newest state only.
/// </summary>
public sealed class StatusPace(TimeProvider time)
{
    public const int PerSecond = 300;

    /// <summary>Between two writes of one object.</summary>
    public static readonly TimeSpan PerObject = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private DateTimeOffset _next;

    /// <summary>Until this write's turn.</summary>
    public Task WaitAsync(CancellationToken stop)
    {
        TimeSpan wait;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var saved = now - TimeSpan.FromSeconds(1);
            _next = (_next < saved ? saved : _next) + TimeSpan.FromSeconds(1.0 / PerSecond);
            wait = _next - now;
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, time, stop) : Task.CompletedTask;
    }
}
