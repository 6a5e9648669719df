using System.Text;
using Mesh.Core.Names;
using Mesh.Storage.Sqlite;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Storage.Tests;

/// <summary>A store in a directory of its own, and the words with which tests write to it.</summary>
internal sealed class StoreFixture : IAsyncDisposable
{
    private readonly bool _ownsDirectory;

    private StoreFixture(SqliteStoreOptions options, FakeTimeProvider time, WatchedLoops loops, bool ownsDirectory, CancellationToken stop)
    {
        Stop = stop;
        _ownsDirectory = ownsDirectory;
        Options = options;
        Time = time;
        Clock = new JumpingClock(TestClock.Over(time));
        Loops = loops;
        Store = new SqliteStore(options, loops.Loops, Clock, NullLogger<SqliteStore>.Instance);
    }

    public CancellationToken Stop { get; }

    public SqliteStoreOptions Options { get; }

    public FakeTimeProvider Time { get; }

    /// <summary>What the store and its caches go by: <see cref="Time"/>, whose wall clock can be set.</summary>
    public JumpingClock Clock { get; }

    public WatchedLoops Loops { get; }

    public SqliteStore Store { get; }

    public string Directory => Options.DataDirectory;

    public string Database => Path.Combine(Directory, "mesh.db");

    public static async Task<StoreFixture> StartAsync(
        CancellationToken stop, Func<SqliteStoreOptions, SqliteStoreOptions>? adjust = null, FakeTimeProvider? time = null, WatchedLoops? loops = null)
    {
        var options = new SqliteStoreOptions { DataDirectory = TestDirectory.Make("mesh-store-") };
        var fixture = new StoreFixture(adjust?.Invoke(options) ?? options, time ?? new FakeTimeProvider(), loops ?? new WatchedLoops(), ownsDirectory: true, stop);
        await fixture.Store.StartAsync(stop);
        return fixture;
    }

    /// <summary>The same directory, opened by a new run.</summary>
    public async Task<StoreFixture> ReopenAsync()
    {
        await Store.DisposeAsync();
        var next = new StoreFixture(Options, Time, Loops, ownsDirectory: false, Stop);
        await next.Store.StartAsync(Stop);
        return next;
    }

    public async Task<WatchCache> StartCacheAsync(IChangeLog? log = null, params IReadOnlyList<CacheIndex> indexes)
    {
        var cache = new WatchCache(log ?? Store, Loops.Loops, Clock, Options.Window, indexes: indexes);
        await cache.StartAsync(Stop);
        return cache;
    }

    public static ObjectKey Pod(string name, string ns = "default") => new("", "Pod", ns, name);

    public static ReadOnlyMemory<byte> Document(string name, string uid = "u", string extra = "") =>
        Encoding.UTF8.GetBytes($$$"""{"kind":"Pod","metadata":{"name":"{{{name}}}","uid":"{{{uid}}}"{{{extra}}}},"spec":{}}""");

    public static Write.Put Put(string name, Precondition? when = null, string uid = "u", string extra = "", string ns = "default") =>
        new(Pod(name, ns), Document(name, uid, extra), when ?? Precondition.None);

    public Task<CommitOutcome> CommitAsync(params IReadOnlyList<Write> writes) => Store.CommitAsync(writes, CommitClass.Request, Stop);

    public async Task<CommitOutcome.Committed> MustCommitAsync(params IReadOnlyList<Write> writes) =>
        Assert.IsType<CommitOutcome.Committed>(await CommitAsync(writes));

    public static string Text(StoredObject stored) => Encoding.UTF8.GetString(stored.Document.Span);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        if (_ownsDirectory)
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }
}
