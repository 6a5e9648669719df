namespace Mesh.Storage.Caching;

/// <summary>
/// Looks at the store's counter, batched: who asks while one look is under way shares the next one, since the one under
/// way may have read before the question.
/// </summary>
internal sealed class CounterLooks(IChangeLog log, CancellationToken end)
{
    private readonly Lock _gate = new();
    private Task<LogPosition>? _running;
    private Task<LogPosition>? _next;

    public Task<LogPosition> LookAsync()
    {
        lock (_gate)
        {
            if (_next is not null)
            {
                return _next;
            }

            // On the pool: a shared look must not depend on the scheduler of the grain that happened to ask first.
            return _running is null or { IsCompleted: true }
                ? _running = Task.Run(() => log.PositionAsync(end), end)
                : _next = LookNextAsync(_running);
        }
    }

    private Task<LogPosition> LookNextAsync(Task before) => Task.Run(() => LookAfterAsync(before), end);

    private async Task<LogPosition> LookAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            // From here on it is this look that is under way.
            (_running, _next) = (_next, null);
        }

        return await log.PositionAsync(end);
    }
}
