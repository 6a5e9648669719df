using Mesh.ApiServer.Own;
using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Storage;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>An exception that nothing expects, in each loop of the API.</summary>
[Trait("Row", "CP-D8")]
public sealed class LoopEndTests
{
    private readonly WatchedLoops _loops = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "default service accounts")]
    public async Task Namespaces_are_looked_at_again_after_an_exception()
    {
        using var cache = new FaultyCache();
        using var accounts = new DefaultServiceAccounts(
            new ResourceCatalog(), null!, cache, _loops.Loops, TimeProvider.System, NullLogger<DefaultServiceAccounts>.Instance);
        await accounts.StartAsync(Stop);
        Assert.IsType<InvalidOperationException>(await _loops.EndedAsync("default service accounts", Stop));
        await cache.Listed.WaitAsync(Stop);
        await accounts.StopAsync(Stop);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "service of the API")]
    public async Task The_address_of_the_API_is_looked_for_again_after_an_exception()
    {
        using var server = new FaultyServer();
        using var lifetime = new Started();
        using var service = new ApiService(
            new ResourceCatalog(), null!, server, lifetime, _loops.Loops, TimeProvider.System, NullLogger<ApiService>.Instance);
        await service.StartAsync(Stop);
        Assert.IsType<InvalidOperationException>(await _loops.EndedAsync("service of the API", Stop));
        await service.ExecuteTask!.WaitAsync(Stop); // it has none: nothing is left to do
        Assert.Equal(2, server.Asked);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "service of the API")]
    public async Task The_objects_of_the_API_are_looked_at_again_after_an_exception()
    {
        using var cache = new FaultyCache();
        using var server = new FaultyServer { Address = "https://127.0.0.1:6443" };
        using var lifetime = new Started();
        using var service = new ApiService(
            new ResourceCatalog(), new OwnObjects(null!, null!, null!, cache), server, lifetime, _loops.Loops, TimeProvider.System, NullLogger<ApiService>.Instance);
        await service.StartAsync(Stop);
        Assert.IsType<NotSupportedException>(await _loops.EndedAsync("service of the API", Stop)); // what the cache throws
        await service.StopAsync(Stop);
    }

    /// <summary>Nobody can be watched at first.</summary>
    private sealed class FaultyCache : IWatchCache, IWatch
    {
        private bool _hasFailed;

        public TaskCompletionSource Listing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Listed => Listing.Task;

        public long Version => 1;

        public string Timeline => "";

        public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion)
        {
            if (!_hasFailed)
            {
                _hasFailed = true;
                throw PlantedTime.Planted();
            }

            return this;
        }

        public CacheList List(string group, string kind, string? ns)
        {
            Listing.TrySetResult();
            return new CacheList(1, []);
        }

        public async ValueTask<IReadOnlyList<StoreChange>> NextAsync(CancellationToken stop)
        {
            await new TaskCompletionSource().Task.WaitAsync(stop);
            return [];
        }

        public StoredObject? Get(ObjectKey key) => throw new NotSupportedException();

        public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => throw new NotSupportedException();

        public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => throw new NotSupportedException();

        public int Count(CacheIndex index) => throw new NotSupportedException();

        public Task WaitForAsync(long version, CancellationToken stop) => throw new NotSupportedException();

        public Task<bool> WaitForFreshAsync(CancellationToken stop) => throw new NotSupportedException();

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    /// <summary>Listens at one address; or cannot be asked at first, and listens nowhere.</summary>
    private sealed class FaultyServer : IServer
    {
        public string? Address { get; init; }

        public int Asked { get; private set; }

        public IFeatureCollection Features
        {
            get
            {
                var features = new FeatureCollection();
                if (Address is not null)
                {
                    var addresses = new ServerAddressesFeature();
                    addresses.Addresses.Add(Address);
                    features.Set<IServerAddressesFeature>(addresses);
                }

                return ++Asked == 1 && Address is null ? throw PlantedTime.Planted() : features;
            }
        }

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => throw new NotSupportedException();

        public Task StopAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    private sealed class Started : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _started = new();

        public Started() => _started.Cancel();

        public CancellationToken ApplicationStarted => _started.Token;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => throw new NotSupportedException();

        public void Dispose() => _started.Dispose();
    }
}
