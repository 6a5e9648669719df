using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Grains.Projections;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Events;

/// <summary>
/// Writes Events (core/v1) about objects: repeated ones are counted in one object, each is written at most once a second
/// and all together at most 25 times a second, and what does not fit is dropped: an Event is a hint to people, never a
/// fact that something rests on. Whoever records never waits.
/// </summary>
public sealed class EventRecorder(
    IObjectStore store, IWatchCache cache, ProjectionPace pace, ProcessLoops loops, TimeProvider time, Random random, ILogger<EventRecorder> log)
    : BackgroundService
{
    /// <summary>Different Events that wait at once.</summary>
    public const int Waiting = 1024;

    private static readonly TimeSpan WriteEvery = TimeSpan.FromMilliseconds(40);

    private readonly WaitingEvents _waiting = new(Waiting);
    private readonly Dictionary<Occurrence, long> _rests = [];

    /// <summary>Something happened to the object that its owner should see in <c>kubectl describe</c>.</summary>
    /// <param name="reason">One CamelCase word.</param>
    public void Record(StoredObject about, bool isWarning, string reason, string message)
    {
        var now = WallClock.Now(time);
        Add(Occurrence.Of(about.Key, about.Uid, isWarning, reason, message), new Times(1, now, now));
    }

    /// <summary>An Event that ends the loop is dropped; the next run goes on with those that wait.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => loops.RunAsync("events", WriteWaitingAsync, stoppingToken);

    private async Task WriteWaitingAsync(CancellationToken stop)
    {
        while (true)
        {
            var (occurrence, times) = await _waiting.TakeAsync(stop);
            if (Rests(occurrence))
            {
                Add(occurrence, times);
            }
            else
            {
                await pace.TakeAsync(1, stop);
                await WriteAsync(occurrence, times, stop);
                _rests[occurrence] = time.GetTimestamp();
            }

            await Task.Delay(WriteEvery, time, stop);
        }
    }

    private void Add(Occurrence occurrence, Times times)
    {
        if (!_waiting.TryAdd(occurrence, times))
        {
            log.EventDropped(occurrence.About, occurrence.Reason);
        }
    }

    /// <summary>It was written within the last second.</summary>
    private bool Rests(Occurrence occurrence)
    {
        foreach (var (rested, _) in _rests.Where(rest => time.GetElapsedTime(rest.Value) >= Projection.Period).ToArray())
        {
            _rests.Remove(rested);
        }

        return _rests.ContainsKey(occurrence);
    }

    private async Task WriteAsync(Occurrence occurrence, Times times, CancellationToken stop)
    {
        try
        {
            var known = cache.Get(occurrence.Key);
            var outcome = await CommitAsync(occurrence, times, known);
            if (outcome is CommitOutcome.Failed { Write: Write.Put, Current: var current })
            {
                await CommitAsync(occurrence, times, current); // another silo counted, or it expired
            }
        }
        catch (StoreUnavailableException silent)
        {
            log.EventNotWritten(occurrence.About, occurrence.Reason, silent);
            Add(occurrence, times);
            await Task.Delay(Projection.Period, time, stop); // the store is asked less while it is silent
        }
        catch (CommitOutcomeUnknownException lost)
        {
            log.EventNotWritten(occurrence.About, occurrence.Reason, lost); // perhaps it was: it is not counted twice
        }
    }

    /// <summary>A failed check of the namespace: it ends, and its Events with it.</summary>
    private async Task<CommitOutcome?> CommitAsync(Occurrence occurrence, Times times, StoredObject? known)
    {
        if (known is not null && !occurrence.IsIn(known.Document))
        {
            return null; // a user made an Event of that name
        }

        Write[] writes = known is null
            ?
            [
                new Write.Check(Kinds.Namespace(occurrence.Key.Namespace), Precondition.Activity),
                new Write.Put(occurrence.Key, occurrence.Document(Uid.New(random), times), Precondition.Absence),
            ]
            : [new Write.Put(known.Key, Occurrence.Counted(known.Document, times), new Precondition.Is(known.ResourceVersion, known.Uid))];
        return await store.CommitAsync(writes, CommitClass.Projection, CancellationToken.None);
    }
}
