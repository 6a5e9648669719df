using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Finds what nobody looks at any more: Events that nobody has written for an hour, counted while this process looked on,
/// and the oldest of too many. An object's age by its own times would be by whatever clock its writer had, and by ours.
/// </summary>
internal sealed class OldEvents(IWatchCache cache, TimeProvider time)
{
    public static readonly TimeSpan EventsLive = TimeSpan.FromHours(1);

    /// <summary>So that silos that never run for an hour do not gather them for ever.</summary>
    public const int MostEvents = 20_000;

    private static readonly TimeSpan NoteEvery = TimeSpan.FromMinutes(1);

    // What was written after a version is younger than the note of it: one number a minute tells the age of every Event.
    private readonly Queue<(long At, long Version)> _notes = new();
    private long _lastNote;
    private long _through;

    public IEnumerable<StoredObject> Look()
    {
        Note();
        while (_notes.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) >= EventsLive)
        {
            _through = _notes.Dequeue().Version;
        }

        var events = cache.List("", "Event", null).Items;
        var old = events.Where(stored => stored.ResourceVersion <= _through);
        return events.Count <= MostEvents
            ? old
            : old.UnionBy(events.OrderBy(stored => stored.ResourceVersion).Take(events.Count - MostEvents), static stored => stored.Key);
    }

    private void Note()
    {
        if (_notes.Count == 0 || time.GetElapsedTime(_lastNote) >= NoteEvery)
        {
            _lastNote = time.GetTimestamp();
            _notes.Enqueue((_lastNote, cache.Version));
        }
    }
}
