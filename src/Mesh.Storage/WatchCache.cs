using Mesh.Core.Names;
using Mesh.Loops;
using Mesh.Storage.Caching;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Storage;

/// <summary>
/// One silo's picture of the store. Whoever starts it disposes it. Reads take one immutable state without a lock; watches
/// read on in one shared window of changes.
/// </summary>
public sealed class WatchCache : IWatchCache, IAsyncDisposable
{
    /// <summary>Changes that one read of a watch looks at.</summary>
    private const int MaxBatch = 512;

    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FreshWithin = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly IChangeLog _log;
    private readonly ProcessLoops _loops;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LogRetention _keep;
    private readonly ChangeWindow _window;
    private readonly VersionWaiters _waiters = new();
    private readonly CounterLooks _looks;
    private readonly SemaphoreSlim _behind = new(0, 1);
    private readonly CancellationTokenSource _end = new();
    private readonly ParkedWatches _parked = new();
    private readonly ToldSeldom _silences;
    private CacheState _state;
    private IDisposable? _following;
    private ITimer? _tick;
    private Task _catchingUp = Task.CompletedTask;
    private bool _isDisposed;

    /// <param name="keep">How much of the log it has in memory.</param>
    /// <param name="indexes">Whatever is to be found by more than its key.</param>
    public WatchCache(
        IChangeLog log, ProcessLoops loops, TimeProvider time, LogRetention? keep = null, ILogger<WatchCache>? logger = null, IEnumerable<CacheIndex>? indexes = null)
    {
        _state = CacheState.Empty([.. indexes ?? []]);
        (_log, _loops, _time, _logger) = (log, loops, time, logger ?? NullLogger<WatchCache>.Instance);
        _keep = keep ?? LogRetention.InMemory;
        _window = new ChangeWindow(_keep, time);
        _looks = new CounterLooks(log, _end.Token);
        _silences = new ToldSeldom(time);
    }

    public long Version => State.Position.Version;

    public string Timeline => State.Position.Timeline;

    private CacheState State => Volatile.Read(ref _state);

    /// <summary>Loads everything, then follows the log until disposed.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        _following = _log.Follow(Apply);
        await LoadAsync(stop);
        await CatchUpAsync(stop); // what was committed while it loaded
        _tick = _time.CreateTimer(_ => Wake(), null, PollEvery, PollEvery);
        _catchingUp = Task.Run(() => _loops.RunAsync("watch cache", FollowAsync, _end.Token), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        _following?.Dispose();
        if (_tick is { } tick)
        {
            await tick.DisposeAsync();
        }

        lock (_gate)
        {
            _parked.WakeAll();
        }

        await _end.CancelAsync();
        await _catchingUp;
        _end.Dispose();
        _behind.Dispose();
    }

    /// <inheritdoc/>
    public StoredObject? Get(ObjectKey key) => State.Find(key);

    /// <inheritdoc/>
    public CacheList List(string group, string kind, string? ns)
    {
        var state = State;
        return new CacheList(state.Position.Version, state.List(group, kind, ns));
    }

    /// <inheritdoc/>
    public IReadOnlyList<StoredObject> Find(CacheIndex index, string word) => State.Find(index, word);

    /// <inheritdoc/>
    public IReadOnlyList<StoredObject> FindAll(CacheIndex index) => State.FindAll(index);

    /// <inheritdoc/>
    public int Count(CacheIndex index) => State.Count(index);

    /// <inheritdoc/>
    public async Task WaitForAsync(long version, CancellationToken stop)
    {
        if (Version >= version)
        {
            return;
        }

        LinkedListNode<(long Version, TaskCompletionSource Reached)> waiter;
        lock (_gate)
        {
            if (Version >= version)
            {
                return;
            }

            waiter = _waiters.Add(version);
        }

        try
        {
            await waiter.Value.Reached.Task.WaitAsync(stop);
        }
        finally
        {
            lock (_gate)
            {
                _waiters.Remove(waiter);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<bool> WaitForFreshAsync(CancellationToken stop)
    {
        using var silent = new CancellationTokenSource(FreshWithin, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, silent.Token);
        try
        {
            var counter = await _looks.LookAsync().WaitAsync(either.Token);
            if (counter.Timeline != Timeline || counter.Version > Version)
            {
                Wake();
            }

            await WaitForAsync(counter.Version, either.Token);
            return counter.Timeline == Timeline;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public IWatch Watch(Func<ObjectKey, bool> filter, long afterVersion)
    {
        lock (_gate)
        {
            ThrowIfExpired(afterVersion);
            return new CacheWatch(this, filter, new LogPosition(Timeline, afterVersion));
        }
    }

    /// <summary>The next piece of the window for this watch, or, at its end, a task that completes when there is more.</summary>
    internal (StoreChange[] Changes, long Through, Task? Parked) Take(CacheWatch watch)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(watch.IsClosed, watch);
            if (_isDisposed)
            {
                throw new WatchExpiredException("This silo is stopping: watch at another, or later.");
            }

            if (watch.Timeline != Timeline)
            {
                throw new WatchExpiredException("The store was restored from a backup: list again.");
            }

            ThrowIfExpired(watch.Taken);
            var changes = _window.After(watch.Taken, MaxBatch);
            if (changes.Length == 0)
            {
                watch.Advance(Math.Max(watch.Taken, Version));
                return ([], watch.Taken, _parked.Park(watch));
            }

            return (changes, changes.Length < MaxBatch ? Math.Max(Version, watch.Taken) : changes[^1].Object.ResourceVersion, null);
        }
    }

    internal void Close(CacheWatch watch)
    {
        lock (_gate)
        {
            watch.IsClosed = true;
            _parked.Remove(watch);
        }
    }

    private void ThrowIfExpired(long version)
    {
        if (version < _window.Start)
        {
            throw new WatchExpiredException($"The log no longer reaches back to resourceVersion {version}; its oldest is {_window.Start}: list again.");
        }
    }

    /// <summary>Called on the store's committing loop, and with what was read after a gap.</summary>
    private void Apply(LogPage page)
    {
        lock (_gate)
        {
            var at = State.Position;
            if (page.Through.Timeline != at.Timeline || page.After > at.Version)
            {
                Wake(); // something is missing before it
                return;
            }

            if (page.Through.Version > at.Version)
            {
                ApplyNew(page, at.Version);
            }
        }
    }

    private void ApplyNew(LogPage page, long seen)
    {
        var state = State;
        var applied = new List<StoreChange>(page.Changes.Count);
        foreach (var change in page.Changes)
        {
            if (change.Object.ResourceVersion > seen)
            {
                // Its own copy of what was there before: the window then holds no document twice.
                var complete = change with { Previous = state.Find(change.Object.Key) };
                state = state.With(complete);
                applied.Add(complete);
            }
        }

        // All or nothing: a page that could not be applied is read again.
        foreach (var change in applied)
        {
            _window.Add(change);
        }

        Publish(state.At(page.Through));
        _parked.Wake(applied, page.Through.Version);
    }

    private void Publish(CacheState state)
    {
        Volatile.Write(ref _state, state);
        _window.Trim();
        _waiters.Release(state.Position.Version);
    }

    private async Task LoadAsync(CancellationToken stop)
    {
        var image = await _log.LoadAsync(_keep, stop);
        var state = State.Reload(image);
        lock (_gate)
        {
            if (image.Position.Timeline == Timeline && image.Position.Version <= Version)
            {
                return; // overtaken by what the committing loop told
            }

            _window.Reset(image.LogStart, image.Log);
            Publish(state);
            _parked.WakeAll();
        }

        _logger.CacheLoaded(image.Objects.Count, image.Position.Version, image.Log.Count, image.LogStart);
    }

    private async Task CatchUpAsync(CancellationToken stop)
    {
        if (await _log.ReadAsync(State.Position, stop) is { } page)
        {
            Apply(page);
        }
        else
        {
            await LoadAsync(stop);
        }
    }

    /// <summary>Covers what the committing loop did not tell, or told too early; also lets the window grow old when nothing happens.</summary>
    private async Task FollowAsync(CancellationToken stop)
    {
        while (true)
        {
            // When the last run ended by an exception, the next tick wakes this one, and it reads on from where the state is.
            await _behind.WaitAsync(stop);
            try
            {
                await CatchUpAsync(stop);
            }
            catch (StoreUnavailableException failed)
            {
                if (_silences.Count() > 0)
                {
                    _logger.CacheBehind(failed.Message);
                }

                continue;
            }

            lock (_gate)
            {
                _window.Trim();
            }
        }
    }

    private void Wake()
    {
        lock (_behind)
        {
            if (!_isDisposed && _behind.CurrentCount == 0)
            {
                _behind.Release();
            }
        }
    }
}
