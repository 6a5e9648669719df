using Mesh.Storage.Sqlite;
using Microsoft.Extensions.Hosting;

namespace Mesh.Storage;

/// <summary>Starts the store, then the watch cache, before anything else of the host, and stops them after everything else.</summary>
internal sealed class StorageService(SqliteStore store, WatchCache cache) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await store.StartAsync(cancellationToken);
        await cache.StartAsync(cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await cache.DisposeAsync();
        await store.StopAsync();
    }
}
