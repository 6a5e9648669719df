using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Grains.Delivery;
using Mesh.Grains.Keeping;
using Mesh.Grains.Nodes;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Grains.Tests.Keeping;

/// <summary>Each loop of the Keeper by itself, over a cache that throws: no silo runs.</summary>
public sealed class KeeperLoopTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);
    private static readonly ObjectKey Pod = new("", "Pod", "planted", "web");

    private readonly PlantedTime _time = new();
    private readonly WatchedLoops _loops = new();
    private readonly FaultyCache _cache = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("keeper: changes")]
    [InlineData("keeper: sweep")]
    [InlineData("keeper: namespaces")]
    [InlineData("keeper: garbage")]
    [InlineData("keeper: wakes")]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "keeper: changes")]
    [Trait("Loop", "keeper: sweep")]
    [Trait("Loop", "keeper: namespaces")]
    [Trait("Loop", "keeper: garbage")]
    [Trait("Loop", "keeper: wakes")]
    public async Task A_loop_of_the_Keeper_that_meets_an_exception_runs_again(string loop)
    {
        switch (loop)
        {
            case "keeper: changes":
                _cache.WatchFails = true;
                break;
            case "keeper: sweep":
                _cache.ListFails = true;
                break;
            case "keeper: namespaces":
                _cache.GetFails = Kinds.Namespace("planted");
                _cache.Change = new StoreChange(StoreChangeType.Modified, Stored(Kinds.Namespace("planted"), isDeleting: true), null);
                break;
            case "keeper: garbage":
                _cache.GetFails = Pod;
                _cache.Change = new StoreChange(StoreChangeType.Added, Stored(Pod, isDeleting: false), null);
                break;
            case "keeper: wakes":
                // Nobody can be woken here, and the pause after that cannot be made either.
                _cache.Put(Kinds.Namespace("default"), isDeleting: false);
                _time.FailTimers(1, static (due, period) => due == Tick && period == Timeout.InfiniteTimeSpan);
                break;
            default:
                break;
        }

        using var keeper = Keeper();
        await keeper.StartAsync(Stop);
        var ended = _loops.EndedAsync(loop, Stop);
        while (!ended.IsCompleted)
        {
            _time.Advance(Tick);
            await Task.Yield();
        }

        Assert.IsType<InvalidOperationException>(await ended);
        Assert.False(keeper.ExecuteTask!.IsCompleted);
        switch (loop)
        {
            case "keeper: changes":
                await _cache.Watched.WaitAsync(Stop);
                await _cache.Watched.WaitAsync(Stop);
                break;
            case "keeper: sweep":
                await _cache.Listed.WaitAsync(Stop);
                await _cache.Listed.WaitAsync(Stop);
                break;
            default:
                break; // that it runs again is the type's: see ProcessLoopsTests
        }

        await keeper.StopAsync(Stop);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D8")]
    public async Task A_namespace_whose_step_meets_an_exception_is_left_to_the_sweep()
    {
        _cache.FreshFails = true;
        _cache.Change = new StoreChange(StoreChangeType.Modified, Stored(Kinds.Namespace("planted"), isDeleting: true), null);
        _cache.Put(Kinds.Namespace("planted"), isDeleting: true);
        using var keeper = Keeper();
        await keeper.StartAsync(Stop);
        while (_cache.FreshFails)
        {
            _time.Advance(Tick);
            await Task.Yield();
        }

        await keeper.StopAsync(Stop);
        Assert.DoesNotContain(_loops.Lines, static line => line.Text.StartsWith("The loop 'keeper: namespaces'", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D20")]
    public async Task A_cache_that_has_stopped_is_not_asked_without_a_pause()
    {
        _cache.IsStopped = true;
        using var keeper = Keeper();
        await keeper.StartAsync(Stop);
        await _cache.Watched.WaitAsync(Stop);
        Assert.Equal(0, _cache.Watched.CurrentCount); // it would have asked for ever before it came back from StartAsync
        await keeper.StopAsync(Stop);
        Assert.Empty(_loops.Lines);
    }

    private Keeper Keeper()
    {
        var membership = new OneSilo();
        return new Keeper(
            null!, _cache, null!, membership, membership, new MembershipSignal(membership, _loops.Loops), _loops.Loops, _time, Some.Kinds, new KnownNodes(_cache), NullLogger<Keeper>.Instance);
    }

    private static StoredObject Stored(ObjectKey key, bool isDeleting)
    {
        const string Document = """{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"web","uid":"gone"}]}}""";
        return new StillCache().Put(key, 1, Document) with { IsDeleting = isDeleting };
    }

    private sealed class FaultyCache : IWatchCache
    {
        private readonly StillCache _still = new();

        public bool WatchFails { get; set; }

        public bool ListFails { get; set; }

        public bool FreshFails { get; set; }

        /// <summary>The first question for it meets an exception.</summary>
        public ObjectKey? GetFails { get; set; }

        /// <summary>All that a watch tells.</summary>
        public StoreChange? Change { get; set; }

        /// <summary>As a cache that was disposed: every watch has expired.</summary>
        public bool IsStopped { get; set; }

        public SemaphoreSlim Watched { get; } = new(0);

        public SemaphoreSlim Listed { get; } = new(0);

        public long Version => 1;

        public string Timeline => "";

        public void Put(ObjectKey key, bool isDeleting) => _still.Put(Stored(key, isDeleting));

        public StoredObject? Get(ObjectKey key)
        {
            if (key == GetFails)
            {
                GetFails = null;
                throw PlantedTime.Planted();
            }

            return _still.Get(key);
        }

        public CacheList List(string group, string kind, string? ns)
        {
            Listed.Release();
            if (ListFails)
            {
                ListFails = false;
                throw PlantedTime.Planted();
            }

            return _still.List(group, kind, ns);
        }

        public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => _still.Find(index, word);

        public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => _still.FindAll(index);

        public int Count(CacheIndex index) => _still.Count(index);

        public Task WaitForAsync(long version, CancellationToken stop) => Task.CompletedTask;

        public Task<bool> WaitForFreshAsync(CancellationToken stop)
        {
            if (FreshFails)
            {
                FreshFails = false;
                throw PlantedTime.Planted();
            }

            return Task.FromResult(false);
        }

        public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion)
        {
            Watched.Release();
            if (IsStopped)
            {
                throw new WatchExpiredException("This silo is stopping.");
            }

            if (WatchFails)
            {
                WatchFails = false;
                throw PlantedTime.Planted();
            }

            return new Telling(Change);
        }
    }

    private sealed class Telling(StoreChange? change) : IWatch
    {
        private StoreChange? _change = change;

        public long Version => 0;

        public async ValueTask<IReadOnlyList<StoreChange>> NextAsync(CancellationToken stop)
        {
            if (Interlocked.Exchange(ref _change, null) is { } told)
            {
                return [told];
            }

            await new TaskCompletionSource().Task.WaitAsync(stop);
            return [];
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    private sealed class OneSilo : IClusterMembershipService, ILocalSiloDetails
    {
        public string Name => "silo";

        public string ClusterId => "cluster";

        public string DnsHostName => "localhost";

        public SiloAddress SiloAddress { get; } = SiloAddress.New(IPAddress.Loopback, 1, 1);

        public SiloAddress GatewayAddress => SiloAddress;

        public ClusterMembershipSnapshot CurrentSnapshot => new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

        public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(false);
    }
}
