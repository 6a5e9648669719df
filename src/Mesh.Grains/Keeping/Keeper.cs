using System.Collections.Concurrent;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Delivery;
using Mesh.Grains.Nodes;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Wakes the sleeping: each object has one keeper, a live silo by rendezvous hash, that calls its grain on each change of
/// the object and of what it depends on, and now and then without one. Ends namespaces, collects garbage, expires Events.
/// </summary>
public sealed class Keeper(
    IObjectStore store,
    IWatchCache cache,
    IGrainFactory grains,
    ILocalSiloDetails silo,
    IClusterMembershipService membership,
    MembershipSignal signal,
    ProcessLoops loops,
    TimeProvider time,
    ServedKinds kinds,
    KnownNodes nodes,
    ILogger<Keeper> log) : BackgroundService
{
    /// <summary>How often every kept grain is woken, change or not; a Pod's only when it has something to do.</summary>
    public static readonly TimeSpan WakeEvery = TimeSpan.FromSeconds(60);

    // All changes of a moment make one step: a namespace of many Pods is not listed for each of them.
    private static readonly TimeSpan EndEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FollowAgainAfter = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan WakeStep = TimeSpan.FromMilliseconds(100);

    private readonly WakeQueue _wakes = new(grains, time, log);
    private readonly OwnedGarbage _garbage = new(cache, new ObjectEnds(store, grains, time), kinds, log);
    private readonly UnsettledPods _pods = new(cache, nodes);
    private readonly OldEvents _oldEvents = new(cache, time);
    private readonly NamespaceEnd _namespaces = new(store, cache, grains, log);
    private readonly ConcurrentDictionary<string, byte> _endingNamespaces = new(StringComparer.Ordinal);
    private readonly string _self = silo.SiloAddress.ToParsableString();
    private long? _followed;
    private bool _isUrgent = true;

    public override void Dispose()
    {
        _wakes.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        _wakes.RunAsync(loops, stoppingToken),
        loops.RunAsync("keeper: changes", stop => RepeatAsync(FollowAsync, stop), stoppingToken),
        loops.RunAsync("keeper: namespaces", stop => RepeatAsync(EndNamespacesAsync, stop), stoppingToken),
        loops.RunAsync("keeper: garbage", stop => RepeatAsync(CollectAsync, stop), stoppingToken),
        loops.RunAsync("keeper: sweep", stop => RepeatAsync(SweepAsync, stop), stoppingToken));

    private async Task FollowAsync(CancellationToken stop)
    {
        _followed ??= cache.Version;
        using var watch = cache.Watch(static key => key.Kind != "Event", _followed.Value);
        while (true)
        {
            foreach (var change in await watch.NextAsync(stop))
            {
                _followed = change.Object.ResourceVersion; // before: a change that ends the loop is left to the sweep, and those after it are not
                var members = Members();
                WakeAbout(change, members);
                EndAbout(change, members);
            }
        }
    }

    private void WakeAbout(StoreChange change, string[] members)
    {
        foreach (var grain in Dependents.Of(change, cache, _pods).Where(grain => IsMine(grain.HashKey, members)))
        {
            _wakes.Add(grain, change.Object.ResourceVersion);
        }
    }

    /// <summary>A namespace that is ending takes a step after changes in it; what a deleted owner had goes with it.</summary>
    private void EndAbout(StoreChange change, string[] members)
    {
        var key = change.Object.Key;
        var ns = key.Kind == "Namespace" ? change.Object : cache.Get(Kinds.Namespace(key.Namespace));
        var isEnd = change.Type == StoreChangeType.Deleted;
        if (ns is { IsDeleting: true } && (isEnd != (key.Kind == "Namespace")) && IsMine($"Namespace/{ns.Key.Name}", members))
        {
            _endingNamespaces[ns.Key.Name] = 0;
        }

        foreach (var concerned in _garbage.LookAfter(change).Where(concerned => IsMine(concerned.ToString(), members)))
        {
            _garbage.Mark(concerned);
        }
    }

    private async Task SweepAsync(CancellationToken stop)
    {
        while (true)
        {
            var changed = signal.Changed;
            var began = time.GetTimestamp();
            var members = Members();
            await WakeAllAsync(members, _isUrgent ? null : changed, stop);
            _isUrgent = false; // a sweep that meets an exception further on has woken everybody
            foreach (var ns in cache.List("", "Namespace", null).Items.Where(ns => ns.IsDeleting && IsMine($"Namespace/{ns.Key.Name}", members)))
            {
                _endingNamespaces[ns.Key.Name] = 0;
            }

            await _garbage.SweepAsync(stored => IsMine(stored.Key.ToString(), members), stop);
            await DeleteAsync(_oldEvents.Look().Where(old => IsMine(old.Key.ToString(), members)));
            await WaitAsync(changed, WakeEvery - time.GetElapsedTime(began), stop);
            _isUrgent = changed.IsCompleted;
        }
    }

    /// <summary>
    /// All at once at the start and after a change of members, else a few at a time over half the period: a burst of calls
    /// to every grain is a pause for those that have something to do.
    /// </summary>
    private async Task WakeAllAsync(string[] members, Task? hurry, CancellationToken stop)
    {
        var pods = _pods.Look(isAnew: hurry is null).Select(KeptGrain.Of).OfType<KeptGrain>();
        var mine = KeptGrain.All(cache).Concat(pods).Where(grain => IsMine(grain.HashKey, members)).ToArray();
        var step = (int)(1 + (mine.Length * WakeStep / (WakeEvery / 2)));
        foreach (var some in mine.Chunk(step))
        {
            foreach (var grain in some)
            {
                _wakes.Add(grain, cache.Version);
            }

            if (hurry is { IsCompleted: false })
            {
                await WaitAsync(hurry, WakeStep, stop);
            }
        }
    }

    private async Task WaitAsync(Task changed, TimeSpan longest, CancellationToken stop)
    {
        if (longest > TimeSpan.Zero)
        {
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(changed, Task.Delay(longest, time, waiting.Token));
            await waiting.CancelAsync();
        }

        stop.ThrowIfCancellationRequested();
    }

    private async Task EndNamespacesAsync(CancellationToken stop)
    {
        using var tick = new PeriodicTimer(EndEvery, time);
        while (await tick.WaitForNextTickAsync(stop))
        {
            foreach (var name in _endingNamespaces.Keys)
            {
                _endingNamespaces.TryRemove(name, out _); // before the step, so that a change during it makes another
                if (cache.Get(Kinds.Namespace(name)) is { IsDeleting: true } ns)
                {
                    await EndNamespaceAsync(ns, stop);
                }
            }
        }
    }

    private async Task EndNamespaceAsync(StoredObject ns, CancellationToken stop)
    {
        try
        {
            await _namespaces.StepAsync(ns, stop);
        }
        catch (Exception failure) when (failure is OperationCanceledException || IsPassing(failure))
        {
            _endingNamespaces[ns.Key.Name] = 0;
            throw;
        }
#pragma warning disable CA1031 // One object must not keep the Keeper from all others: it is left to the next sweep.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            log.StepFailed(ns.Key.Kind, ns.Key.Name, failure);
        }
    }

    private async Task CollectAsync(CancellationToken stop)
    {
        using var tick = new PeriodicTimer(EndEvery, time);
        while (await tick.WaitForNextTickAsync(stop))
        {
            await _garbage.LookAsync(stop);
        }
    }

    private async Task DeleteAsync(IEnumerable<StoredObject> garbage)
    {
        foreach (var stored in garbage.ToArray())
        {
            await store.CommitAsync(
                [new Write.Delete(stored.Key, new Precondition.Is(stored.ResourceVersion, stored.Uid))], CommitClass.Projection, CancellationToken.None);
        }
    }

    private async Task RepeatAsync(Func<CancellationToken, Task> run, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await run(stop);
            }
            catch (WatchExpiredException)
            {
                _followed = null;
                signal.Raise(); // it fell behind the log: everything is woken
                await Task.Delay(FollowAgainAfter, time, stop); // a cache that has stopped says so at once, for as long as it is asked
                continue;
            }
            catch (Exception failure) when (IsPassing(failure))
            {
                log.SweepFailed(failure);
            }

            await Task.Delay(TryAgainAfter, time, stop);
        }
    }

    /// <summary>The store's or the cluster's state, and no fault of the object that met it.</summary>
    internal static bool IsPassing(Exception failure) => failure is StoreUnavailableException or CommitOutcomeUnknownException or OrleansException or TimeoutException;

    private bool IsMine(string key, IReadOnlyCollection<string> members) => Rendezvous.Owner(key, members) == _self;

    private string[] Members()
    {
        var live = membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active)
            .Select(member => member.SiloAddress.ToParsableString())
            .ToArray();
        return live.Length == 0 ? [_self] : live;
    }
}
