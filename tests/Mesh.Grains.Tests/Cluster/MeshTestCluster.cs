using System.Net;
using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Delivery;
using Mesh.Grains.Gateways;
using Mesh.Storage;
using Mesh.Storage.Sqlite;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Mesh.Testing.Time;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Configuration;
using Orleans.TestingHost;
using Xunit;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>
/// Two silos in one process over one real SQLite store, each with its own watch cache, and the faults that tests ask for.
/// </summary>
public sealed class MeshTestCluster : IAsyncDisposable
{
    private readonly string _directory = TestDirectory.Make("mesh-grains-");
    private readonly SqliteStore _store;
    private InProcessTestCluster _cluster = null!;
    private int _namespaces;
    private int _sessions;

    private readonly TimeProvider _time;

    private MeshTestCluster(TimeProvider time)
    {
        _time = time;
        Loops = new WatchedLoops(time);
        _store = new SqliteStore(new SqliteStoreOptions { DataDirectory = _directory }, WatchedLoops.Unwatched(), TestClock.Machine, NullLogger<SqliteStore>.Instance);
        Store = new FaultyStore(_store);
    }

    public FaultyStore Store { get; }

    /// <summary>Of all silos.</summary>
    public WatchedLoops Loops { get; }

    public Network Network { get; } = new();

    public GrainOptions Options { get; } = new()
    {
        ServiceCidr = IPNetwork.Parse("127.96.0.0/16"),
        NodeName = "own",
        OwnListeners = [OwnListener],
        LoadBalancerPool = [IPNetwork.Parse("10.9.0.1/32"), IPNetwork.Parse("10.9.0.2/32")],
    };

    /// <summary>Where Mesh itself is said to listen.</summary>
    public static IPEndPoint OwnListener { get; } = new(IPAddress.Parse("127.0.0.99"), 8080);

    public IClusterClient Client => _cluster.Client;

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    public InProcessTestCluster Orleans => _cluster;

    /// <param name="time">What the grains, and Orleans' timers, count time by.</param>
    public static async Task<MeshTestCluster> StartAsync(short silos = 2, TimeProvider? time = null)
    {
        var cluster = new MeshTestCluster(time ?? TestClock.Machine);
        await cluster._store.StartAsync(CancellationToken.None);
        await cluster.DeployAsync(silos);
        return cluster;
    }

    public static T Service<T>(InProcessSiloHandle silo)
        where T : notnull => silo.ServiceProvider.GetRequiredService<T>();

    public IWatchCache Cache(int silo = 0) => Service<IWatchCache>(Silos[silo]);

    /// <summary>An active namespace that no other test uses.</summary>
    public async Task<string> NamespaceAsync()
    {
        var name = $"t{Interlocked.Increment(ref _namespaces)}";
        await PutAsync(
            Kinds.Namespace(name),
            $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{name}}}","uid":"uid-{{{name}}}"},"status":{"phase":"Active"}}""");
        return name;
    }

    /// <summary>Writes an object past the grains, as the ApiServer does for kinds that it commits itself.</summary>
    public async Task<StoredObject> PutAsync(ObjectKey key, string document, Precondition? condition = null)
    {
        var outcome = await _store.CommitAsync(
            [new Write.Put(key, Encoding.UTF8.GetBytes(document), condition ?? Precondition.None)], CommitClass.Request, CancellationToken.None);
        return Assert.IsType<CommitOutcome.Committed>(outcome).Objects[0]!;
    }

    public async Task<long> DeleteAsync(ObjectKey key)
    {
        var outcome = await _store.CommitAsync([new Write.Delete(key, Precondition.None)], CommitClass.Request, CancellationToken.None);
        return Assert.IsType<CommitOutcome.Committed>(outcome).Version;
    }

    /// <summary>A link from the node to a silo: its gateway grain is started, as the process does.</summary>
    /// <param name="before">Told of the link before the grain is.</param>
    public async Task<TestLink> LinkAsync(TestNode node, InProcessSiloHandle silo, Action<TestLink>? before = null)
    {
        var number = Interlocked.Increment(ref _sessions);
        var session = $"s{number}";
        var link = new TestLink(node, new NodeSession(session, 1, number, "127.0.0.1", "test"));
        before?.Invoke(link);
        Service<TestLinks>(silo).Add(link);
        node.BeginResync();
        var key = GatewayKey.Of(silo.SiloAddress, node.Name, session).ToString();
        try
        {
            await Client.GetGrain<IGatewayGrain>(key).Start(CancellationToken.None);
        }
        catch (OrleansMessageRejectionException) when (before is not null)
        {
            // Its activation has met an exception that the test planted, and ends; the next call begins another.
        }

        return link;
    }

    /// <summary>Every receiver renews now, as after a change of membership.</summary>
    public void RenewAll()
    {
        foreach (var silo in Silos)
        {
            Service<MembershipSignal>(silo).Raise();
        }
    }

    /// <summary>Stops every silo and starts as many new ones over the same store.</summary>
    public async Task RestartAllAsync()
    {
        var count = (short)Silos.Count;
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        await DeployAsync(count);
    }

    public async ValueTask DisposeAsync()
    {
        Store.Heal();
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task DeployAsync(short silos)
    {
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) => Configure(silo));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    private void Configure(ISiloBuilder silo)
    {
        silo.Services.AddSingleton(_time);
        silo.Services.AddSingleton(Loops.Loops);
        foreach (var ofOrleans in new[] { TimeProviderNames.Membership, TimeProviderNames.Messaging, TimeProviderNames.SystemTimers })
        {
            silo.Services.AddKeyedSingleton(ofOrleans, TimeProvider.System); // who is alive, and which calls are late, is not what these tests move
        }

        silo.Services.AddSingleton<IObjectStore>(Store);
        silo.Services.AddSingleton(services => new WatchCache(_store, WatchedLoops.Unwatched(), TestClock.Machine, indexes: services.GetServices<CacheIndex>()));
        silo.Services.AddSingleton(services => new PlantedCache(services.GetRequiredService<WatchCache>(), services.GetRequiredService<IGrainContextAccessor>()));
        silo.Services.AddSingleton<IWatchCache>(services => services.GetRequiredService<PlantedCache>());
        silo.Services.AddHostedService<CacheLife>();
        silo.Services.AddSingleton<TestLinks>();
        silo.Services.AddSingleton<IGatewayLinks>(services => services.GetRequiredService<TestLinks>());
        silo.Services.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(5));
        silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        silo.AddOutgoingGrainCallFilter(Network);
        silo.Services.AddSingleton(Some.Kinds);
        silo.AddMeshGrains(Options);
    }

    /// <summary>The cache follows the store before the first grain is called.</summary>
    private sealed class CacheLife(WatchCache cache) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => cache.StartAsync(cancellationToken);

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => cache.DisposeAsync().AsTask();
    }
}
