using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Objects;

/// <summary>What a grain takes for known of its object while others write it and its silo's cache lags.</summary>
[Trait("Row", "CP-D11")]
public sealed class OwnedObjectTests : IDisposable
{
    private static readonly ObjectKey Key = Kinds.Namespace("web"); // of no namespace: nothing else is checked

    private readonly Cache _cache = new();
    private readonly Store _store = new();
    private readonly OwnedObject _object;

    public OwnedObjectTests() => _object = new OwnedObject(Key, _store, _cache, null!);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _object.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task What_others_wrote_between_the_look_at_the_store_and_the_caches_catching_up_is_seen()
    {
        await LoseAnswerAsync();
        _store.Current = Stored(5);
        _cache.WhenAsked = () => _cache.Put(Stored(7), 8);
        Assert.Equal(7, (await _object.ReadAsync(0, Stop))!.ResourceVersion);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_the_store_said_stays_while_the_cache_has_not_come_so_far()
    {
        await LoseAnswerAsync();
        _store.Current = Stored(5);
        _cache.Put(Stored(3), 4);
        _cache.IsFresh = false;
        Assert.Equal(5, (await _object.ReadAsync(0, Stop))!.ResourceVersion);

        _cache.Put(Stored(6), 7);
        Assert.Equal(6, (await _object.ReadAsync(0, Stop))!.ResourceVersion);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_deletion_that_the_cache_does_not_show_yet_brings_nothing_back()
    {
        await LoseAnswerAsync();
        _cache.Put(Stored(3), 4);
        _cache.IsFresh = false;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _object.ReadAsync(0, Stop));

        _cache.IsFresh = true;
        _cache.WhenAsked = () => _cache.Remove(6);
        Assert.Null(await _object.ReadAsync(0, Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_commit_that_failed_on_anothers_write_tells_no_more_than_that_write()
    {
        _cache.Put(Stored(1), 1);
        _store.Outcomes.Enqueue(writes =>
        {
            _cache.Put(Stored(7), 8); // by the time that the answer comes
            return new CommitOutcome.Failed(0, writes[0], Stored(5));
        });
        var planned = new List<long>();
        await WriteAsync(planned);
        Assert.Equal([1, 7], planned);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_commit_that_failed_on_anothers_deletion_brings_nothing_back_that_the_cache_still_shows()
    {
        _cache.Put(Stored(1), 1);
        _store.Outcomes.Enqueue(writes => new CommitOutcome.Failed(0, writes[0], null));
        var planned = new List<long>();
        _cache.IsFresh = false;
        Assert.Equal(ObjectResult.Unavailable, (await WriteAsync(planned, keepsNothing: true)).Result);
        Assert.Equal([1, 0], planned);

        _cache.Put(Stored(1), 3); // the log goes on, and has not come to the deletion
        _cache.IsFresh = true;
        _cache.WhenAsked = () => _cache.Remove(6);
        Assert.Null(await _object.ReadAsync(0, Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-N5")]
    public async Task That_there_is_nothing_is_said_once_the_cache_is_as_new_as_the_store()
    {
        _cache.IsFresh = false;
        Assert.Equal(ObjectResult.Unavailable, (await WriteAsync([], keepsNothing: true)).Result);

        _cache.IsFresh = true;
        var planned = new List<long>();
        _cache.WhenAsked = () => _cache.Put(Stored(7), 7);
        await WriteAsync(planned, keepsNothing: true);
        Assert.Equal([0, 7], planned);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_read_from_before_a_second_lost_answer_says_nothing_of_it()
    {
        await LoseAnswerAsync();
        _store.Current = Stored(5);
        _cache.WhenAsked = () => _cache.Put(_store.Current, _store.Current.ResourceVersion);
        var reading = new TaskCompletionSource();
        _store.Reading = reading.Task;
        var early = _object.ReadAsync(0, Stop);
        _store.Reading = Task.CompletedTask;
        Assert.Equal(5, (await _object.ReadAsync(0, Stop))!.ResourceVersion);
        await LoseAnswerAsync();

        _store.Current = Stored(9);
        reading.SetResult();
        Assert.Equal(9, (await early)!.ResourceVersion);
    }

    private async Task LoseAnswerAsync()
    {
        _store.Outcomes.Enqueue(static _ => throw new CommitOutcomeUnknownException("planted"));
        Assert.Equal(ObjectResult.Unknown, (await WriteAsync([])).Result);
    }

    /// <param name="planned">From which versions; 0: from nothing.</param>
    private Task<ObjectReply> WriteAsync(List<long> planned, bool keepsNothing = false) => _object.ChangeAsync(
        current =>
        {
            planned.Add(current?.ResourceVersion ?? 0);
            return current is null && keepsNothing ? new WritePlan.Keep() : new WritePlan.Put("{}"u8.ToArray(), []);
        },
        static _ => null,
        CommitClass.Request,
        Stop);

    private static StoredObject Stored(long version) => new(Key, "uid", version, 1, false, Encoding.UTF8.GetBytes("{}"));

    private sealed class Store : IObjectStore
    {
        public Queue<Func<IReadOnlyList<Write>, CommitOutcome>> Outcomes { get; } = new();

        public StoredObject? Current { get; set; }

        public Task Reading { get; set; } = Task.CompletedTask;

        public Task<CommitOutcome> CommitAsync(IReadOnlyList<Write> writes, CommitClass commitClass, CancellationToken stop) =>
            Task.FromResult(Outcomes.TryDequeue(out var outcome) ? outcome(writes) : new CommitOutcome.Committed([Stored(100)], 100));

        public async Task<StoredObject?> ReadAsync(ObjectKey key, CancellationToken stop)
        {
            var read = Current;
            await Reading;
            return read;
        }
    }

    /// <summary>Is where the test has it, and is fresh, or is not, when it is asked.</summary>
    private sealed class Cache : IWatchCache
    {
        private StoredObject? _object;

        public bool IsFresh { get; set; } = true;

        public Action WhenAsked { get; set; } = static () => { };

        public long Version { get; private set; }

        public string Timeline => "";

        public void Put(StoredObject stored, long version) => (_object, Version) = (stored, version);

        public void Remove(long version) => (_object, Version) = (null, version);

        public StoredObject? Get(ObjectKey key) => _object;

        public Task WaitForAsync(long version, CancellationToken stop) => Task.CompletedTask;

        public Task<bool> WaitForFreshAsync(CancellationToken stop)
        {
            WhenAsked();
            return Task.FromResult(IsFresh);
        }

        public CacheList List(string group, string kind, string? ns) => throw new NotSupportedException();

        public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => throw new NotSupportedException();

        public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => throw new NotSupportedException();

        public int Count(CacheIndex index) => throw new NotSupportedException();

        public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion) => throw new NotSupportedException();
    }
}
