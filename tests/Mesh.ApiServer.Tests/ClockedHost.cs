using System.Threading.Channels;
using Mesh.ApiServer.Requests;
using Mesh.Storage;
using Mesh.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>The API under a clock that the test moves, over a store that keeps ten changes of its log.</summary>
public sealed class ClockedHost : ApiHost
{
    public BookmarkClock Clock { get; } = new();

    protected override void ConfigureStorage(IServiceCollection services, string directory)
    {
        services.AddSingleton<TimeProvider>(Clock);
        services.AddMeshStorage(new SqliteStoreOptions
        {
            DataDirectory = directory,
            Retention = LogRetention.Standard with { MaxRows = 10 },
            Window = LogRetention.InMemory with { MaxRows = 10 },
        });
    }

    /// <summary>A clock that tells when a watch waits for its next bookmark.</summary>
    public sealed class BookmarkClock : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> _armed = Channel.CreateBounded<TimeSpan>(64);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == WatchVerb.BookmarkEvery)
            {
                _armed.Writer.TryWrite(dueTime);
            }

            return timer;
        }

        public async Task WatchWaitsAsync() => await _armed.Reader.ReadAsync(TestContext.Current.CancellationToken);
    }
}
