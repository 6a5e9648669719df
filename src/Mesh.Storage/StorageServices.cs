using Mesh.Loops;
using Mesh.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Mesh.Storage;

/// <summary>Adds the store to a host.</summary>
public static class StorageServices
{
    /// <summary>
    /// The embedded store in a data directory, and a watch cache over it. The host holds the directory's
    /// <see cref="DataDirectoryLock"/> from before it starts until it ended. The cache has each <see cref="CacheIndex"/> that is registered.
    /// </summary>
    public static IServiceCollection AddMeshStorage(this IServiceCollection services, string dataDirectory) =>
        services.AddMeshStorage(new SqliteStoreOptions { DataDirectory = dataDirectory });

    public static IServiceCollection AddMeshStorage(this IServiceCollection services, SqliteStoreOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ProcessLoops>();
        services.AddSingleton(options);
        services.AddSingleton<SqliteStore>();
        services.AddSingleton<IObjectStore>(provider => provider.GetRequiredService<SqliteStore>());
        services.AddSingleton<IChangeLog>(provider => provider.GetRequiredService<SqliteStore>());
        services.AddSingleton(provider => new WatchCache(
            provider.GetRequiredService<IChangeLog>(),
            provider.GetRequiredService<ProcessLoops>(),
            provider.GetRequiredService<TimeProvider>(),
            options.Window,
            provider.GetRequiredService<ILogger<WatchCache>>(),
            provider.GetServices<CacheIndex>()));
        services.AddSingleton<IWatchCache>(provider => provider.GetRequiredService<WatchCache>());
        services.AddHostedService<StorageService>();
        return services;
    }
}
