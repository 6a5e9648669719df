using Mesh.Core.Names;
using Mesh.Storage.Caching;
using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Sqlite;

/// <summary>What is read from the store, each inside one reading transaction.</summary>
internal static class SqliteQueries
{
    /// <summary>More than this is read by loading anew.</summary>
    private static readonly LogRetention MostOfPage = LogRetention.InMemory with { MaxAge = TimeSpan.MaxValue, MaxRows = 20_000 };

    public static LogPosition Position(SqliteConnection connection)
    {
        var (timeline, version, _) = SqliteSchema.Read(connection);
        return new LogPosition(timeline, version);
    }

    public static StoredObject? Read(SqliteConnection connection, ObjectKey key)
    {
        using var find = new Statement(
            connection,
            "SELECT uid, version, created, deleting, document FROM objects WHERE grp = ?1 AND kind = ?2 AND namespace = ?3 AND name = ?4",
            4);
        using var row = find.Query(key.Group, key.Kind, key.Namespace, key.Name);
        return row.Read() ? Stored(row, key, 0) : null;
    }

    /// <param name="keep">Of the log, older than this is left where it is.</param>
    public static StoreImage Load(SqliteConnection connection, LogRetention keep)
    {
        var position = Position(connection);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var objects = new List<StoredObject>();
        using (var all = new Statement(
            connection,
            "SELECT uid, version, created, deleting, document, grp, kind, namespace, name FROM objects ORDER BY grp, kind, namespace, name"))
        {
            using var rows = all.Query();
            while (rows.Read())
            {
                objects.Add(Stored(rows, Key(rows, 5, names), 0));
            }
        }

        var logStart = StartOf(connection, keep);
        var state = objects.ToDictionary(stored => stored.Key);
        var log = Changes(connection, logStart, key => state.GetValueOrDefault(key), names);
        return new StoreImage(position, objects, logStart, log);
    }

    public static LogPage? Page(SqliteConnection connection, LogPosition after)
    {
        var position = Position(connection);
        if (position.Timeline != after.Timeline || after.Version < LogStart(connection))
        {
            return null;
        }

        if (position.Version == after.Version)
        {
            return new LogPage(position, after.Version, []);
        }

        return after.Version < StartOf(connection, MostOfPage)
            ? null
            : new LogPage(
                position,
                after.Version,
                Changes(connection, after.Version, key => Read(connection, key), new Dictionary<string, string>(StringComparer.Ordinal)));
    }

    /// <summary>A deletion as the log tells it: the last document, with the deletion's resourceVersion.</summary>
    public static StoredObject AsDeleted(StoredObject last, long version) =>
        DocumentScan.TryRead(last.Key, last.Document, out var scan, out var problem)
            ? last with { ResourceVersion = version, Document = scan.WithVersion(version) }
            : throw new InvalidDataException($"The stored document of {last.Key} cannot be read: {problem}");

    /// <summary>
    /// Each row holds what it replaced, so the changes are read from the newest back: what an object became is what the
    /// next change of it replaced, or what it is now.
    /// </summary>
    private static List<StoreChange> Changes(
        SqliteConnection connection, long after, Func<ObjectKey, StoredObject?> now, Dictionary<string, string> names)
    {
        var later = new Dictionary<ObjectKey, StoredObject?>();
        var changes = new List<StoreChange>();
        using var read = new Statement(
            connection,
            """
            SELECT uid, previous, created, deleting, document, grp, kind, namespace, name, version, type
            FROM changes WHERE version > ?1 ORDER BY version DESC
            """,
            1);
        using var rows = read.Query(after);
        while (rows.Read())
        {
            var key = Key(rows, 5, names);
            var version = rows.GetInt64(9);
            var type = (StoreChangeType)rows.GetInt32(10);
            var previous = type == StoreChangeType.Added ? null : Stored(rows, key, 0);
            var became = type == StoreChangeType.Deleted
                ? AsDeleted(previous!, version)
                : (later.TryGetValue(key, out var next) ? next : now(key)) ?? throw Torn(key, version);
            later[key] = previous;
            changes.Add(new StoreChange(type, became, previous));
        }

        changes.Reverse();
        return changes;
    }

    /// <summary>Where the part of the log begins that may be kept, measured from its newest row back without reading a document.</summary>
    private static long StartOf(SqliteConnection connection, LogRetention keep)
    {
        var start = LogStart(connection);
        using var read = new Statement(
            connection, "SELECT version, at, type, coalesce(length(document), 0) FROM changes WHERE version > ?1 ORDER BY version DESC", 1);
        using var rows = read.Query(start);
        var (newest, count, bytes) = (0L, 0, 0L);
        while (rows.Read())
        {
            newest = count == 0 ? rows.GetInt64(1) : newest;
            count++;
            bytes += ChangeWindow.ChangeBytes + (rows.GetInt64(3) * ((StoreChangeType)rows.GetInt32(2) == StoreChangeType.Deleted ? 2 : 1));
            if (keep.Drops(TimeSpan.FromMilliseconds(newest - rows.GetInt64(1)), count, bytes))
            {
                return rows.GetInt64(0);
            }
        }

        return start;
    }

    private static long LogStart(SqliteConnection connection)
    {
        using var read = new Statement(connection, "SELECT log_start FROM store");
        using var row = read.Query();
        row.Read();
        return row.GetInt64(0);
    }

    private static StoredObject Stored(SqliteDataReader row, ObjectKey key, int at) => new(
        key, row.GetString(at), row.GetInt64(at + 1), row.GetInt64(at + 2), row.GetBoolean(at + 3), row.GetFieldValue<byte[]>(at + 4));

    /// <summary>Groups, kinds and namespaces are few: one string each, however many objects carry them.</summary>
    private static ObjectKey Key(SqliteDataReader row, int at, Dictionary<string, string> names) =>
        new(Shared(row.GetString(at), names), Shared(row.GetString(at + 1), names), Shared(row.GetString(at + 2), names), row.GetString(at + 3));

    private static string Shared(string text, Dictionary<string, string> names) =>
        names.TryGetValue(text, out var known) ? known : names[text] = text;

    private static InvalidDataException Torn(ObjectKey key, long version) =>
        new($"The change log says that {key} was written at {version}, but no such object is stored.");
}
