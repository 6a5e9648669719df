using System.Collections.Concurrent;
using Mesh.Loops;
using Microsoft.Extensions.Logging;
using static Mesh.Storage.Tests.StoreFixture;

namespace Mesh.Storage.Tests;

/// <summary>What the watch cache writes into the log.</summary>
public sealed class WatchCacheLinesTests
{
    private const int Deadline = 60_000;

    [Fact(Timeout = Deadline)]
    public async Task That_the_store_is_silent_is_told_once_a_minute_though_it_is_asked_each_second()
    {
        await using var fixture = await StartAsync(TestContext.Current.CancellationToken);
        var log = new FaultyLog(fixture.Store);
        var told = new Lines();
        await using var cache = new WatchCache(log, fixture.Loops.Loops, fixture.Clock, logger: told);
        await cache.StartAsync(fixture.Stop);
        log.Faults = new StoreUnavailableException("planted");
        for (var i = 0; i < 3; i++)
        {
            await AskAsync(TimeSpan.FromSeconds(1));
        }

        Assert.EndsWith("tries again: planted", Assert.Single(told), StringComparison.Ordinal);
        await AskAsync(ToldSeldom.Every);
        await AskAsync(TimeSpan.FromSeconds(1)); // what was met before has been told
        Assert.Equal(2, told.Count);
        log.Faults = null;

        async Task AskAsync(TimeSpan after)
        {
            fixture.Time.Advance(after);
            await log.Failed.WaitAsync(fixture.Stop);
        }
    }

    private sealed class Lines : ConcurrentQueue<string>, ILogger<WatchCache>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Assert.Null(exception);
            Enqueue(formatter(state, exception));
        }
    }
}
