using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Sqlite;

/// <summary>The tables of <c>mesh.db</c>, and what is done once when the store opens.</summary>
internal static class SqliteSchema
{
    public const int Version = 1;

    // One row of "changes" holds what its write replaced, not what it wrote: the new state is the next row's previous one,
    // or the object itself. So each document is stored once, and a watch knows what an object was before.
    private const string Tables = """
        CREATE TABLE store (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            timeline TEXT NOT NULL,
            version INTEGER NOT NULL,
            log_start INTEGER NOT NULL,
            openings INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE objects (
            id INTEGER PRIMARY KEY,
            grp TEXT NOT NULL,
            kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT NOT NULL,
            version INTEGER NOT NULL,
            created INTEGER NOT NULL,
            deleting INTEGER NOT NULL,
            document BLOB NOT NULL,
            UNIQUE (grp, kind, namespace, name)
        ) STRICT;
        CREATE TABLE changes (
            version INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            type INTEGER NOT NULL,
            grp TEXT NOT NULL,
            kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT,
            previous INTEGER,
            created INTEGER,
            deleting INTEGER,
            document BLOB
        ) STRICT;
        """;

    /// <summary>Makes the tables of a new store; refuses what is not one or is newer than this program.</summary>
    public static void Prepare(SqliteConnection connection, string path)
    {
        var found = Number(connection, "PRAGMA user_version");
        if (found == 0)
        {
            // The tables are made with their version in one transaction: tables without one are another program's.
            if (Number(connection, "SELECT COUNT(*) FROM sqlite_master") > 0)
            {
                throw new DataDirectoryRefusedException(
                    DataDirectoryRefusal.NotAStore, $"'{path}' is the database of another program, and is left as it is.");
            }

            Statement.Execute(connection, "BEGIN IMMEDIATE");
            Statement.Execute(connection, Tables);
            using var first = new Statement(connection, "INSERT INTO store VALUES (1, ?1, 0, 0, 0)", 1);
            first.Execute(NewTimeline());
            Statement.Execute(connection, "PRAGMA user_version = 1");
            Statement.Execute(connection, "COMMIT");
        }
        else if (found != Version)
        {
            throw new DataDirectoryRefusedException(
                DataDirectoryRefusal.NotAStore, $"The store '{path}' has schema {found}; this version of Mesh knows schema {Version} only.");
        }
    }

    /// <summary>
    /// Counts this opening. A store that is not as its last run left it was restored from a backup: it gets a new timeline,
    /// and goes on above every resourceVersion that anybody may have seen.
    /// </summary>
    public static bool Open(SqliteConnection connection, RunMark? mark)
    {
        const long Gap = 1_000_000;
        var (timeline, version, openings) = Read(connection);
        var isNew = openings == 0 && version == 0;
        var isAsLeft = mark is not null && mark.Timeline == timeline && mark.Openings == openings && mark.Version <= version;
        var restored = !isNew && !isAsLeft;

        Statement.Execute(connection, "BEGIN IMMEDIATE");
        using var count = new Statement(connection, "UPDATE store SET openings = openings + 1");
        count.Execute();
        if (restored)
        {
            var above = Math.Max(version, mark?.Version ?? 0) + Gap;
            Statement.Execute(connection, "DELETE FROM changes");
            using var renew = new Statement(connection, "UPDATE store SET timeline = ?1, version = ?2, log_start = ?2", 2);
            renew.Execute(NewTimeline(), above);
        }

        Statement.Execute(connection, "COMMIT");
        return restored;
    }

    public static (string Timeline, long Version, long Openings) Read(SqliteConnection connection)
    {
        using var read = new Statement(connection, "SELECT timeline, version, openings FROM store");
        using var rows = read.Query();
        return rows.Read()
            ? (rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2))
            : throw new DataDirectoryRefusedException(DataDirectoryRefusal.NotAStore, $"The store '{connection.DataSource}' is damaged; restore its backup.");
    }

    private static long Number(SqliteConnection connection, string query)
    {
        using var read = new Statement(connection, query);
        using var rows = read.Query();
        return rows.Read() ? rows.GetInt64(0) : 0;
    }

    private static string NewTimeline() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
}
