using Mesh.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Storage.Tests;

public sealed class StorageServicesTests
{
    [Fact(Timeout = 30_000)]
    public async Task A_host_starts_store_and_cache_before_its_other_services_and_stops_them_after()
    {
        var stop = TestContext.Current.CancellationToken;
        var directory = TestDirectory.Make("mesh-host-");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        builder.Services.AddSingleton<Client>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<Client>());
        builder.Services.AddMeshStorage(directory);
        using (var host = builder.Build())
        {
            await host.StartAsync(stop);
            await host.StopAsync(stop);
            Assert.Equal([1L, 2L], host.Services.GetRequiredService<Client>().Seen);
        }

        Assert.False(File.Exists(Path.Combine(directory, "mesh.db-wal")), "the last connection takes the log with it");
        Directory.Delete(directory, recursive: true);
    }

    private sealed class Client(IObjectStore store, IWatchCache cache) : IHostedService
    {
        public List<long> Seen { get; } = [];

        public Task StartAsync(CancellationToken cancellationToken) => WriteAsync("start", cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => WriteAsync("stop", cancellationToken);

        private async Task WriteAsync(string name, CancellationToken stop)
        {
            await store.CommitAsync([StoreFixture.Put(name)], CommitClass.Request, stop);
            Seen.Add(cache.Get(StoreFixture.Pod(name))!.ResourceVersion);
        }
    }
}
