using System.Globalization;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Keeping;

/// <summary>Finds what nobody looks at any more: Events older than an hour.</summary>
internal static class OldEvents
{
    public static readonly TimeSpan EventsLive = TimeSpan.FromHours(1);

    public static IEnumerable<StoredObject> Of(IWatchCache cache, DateTimeOffset now) =>
        cache.List("", "Event", null).Items.Where(stored => LastSeen(stored) is { } seen && now - seen >= EventsLive);

    private static DateTimeOffset? LastSeen(StoredObject stored)
    {
        foreach (var path in new string[][] { ["lastTimestamp"], ["eventTime"], ["metadata", "creationTimestamp"] })
        {
            var text = StoredFields.Text(stored.Document, path);
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var seen))
            {
                return seen;
            }
        }

        return null;
    }
}
