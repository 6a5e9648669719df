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

    /// <summary>Makes the tables of a new store; refuses what is not one or is newer than this program, and an empty one where a mark tells of another.</summary>
    public static void Prepare(SqliteConnection connection, string path, RunMark? mark)
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

            RefuseLost(path, mark);
            Statement.Execute(connection, "BEGIN IMMEDIATE");
            Statement.Execute(connection, Tables);
            using var first = new Statement(connection, "INSERT INTO store VALUES (1, ?1, 0, 0, 0)", 1);
            first.Execute(NewTimeline());
            Statement.Execute(connection, "PRAGMA user_version = 1");
            Statement.Execute(connection, "COMMIT");
        }
        else if (WhyNot(connection, path) is { } reason)
        {
            throw new DataDirectoryRefusedException(DataDirectoryRefusal.NotAStore, reason);
        }
    }

    /// <summary>Nobody's lost store is taken for a new one.</summary>
    public static void RefuseLost(string path, RunMark? mark)
    {
        if (mark is not null)
        {
            throw new DataDirectoryRefusedException(
                DataDirectoryRefusal.NotAStore,
                $"The store '{path}' is gone or empty, and '{path}.mark' says that it held resourceVersion {mark.Version}: put it back or restore a backup; to begin with an empty store, delete '{path}.mark'.");
        }
    }

    /// <summary>
    /// Counts this opening. A store that is not as its last run left it was restored from a backup: it gets a new timeline,
    /// and goes on above every resourceVersion that anybody may have seen.
    /// </summary>
    /// <param name="announce">Writes a mark, before the opening is counted, of a store that is as it was left.</param>
    public static bool Open(SqliteConnection connection, RunMark? mark, Action<RunMark> announce)
    {
        var (timeline, version, openings) = Read(connection);
        var isNew = openings == 0 && version == 0 && mark is null;
        var restored = !isNew && mark?.IsOf(timeline, openings, version) != true;
        if (!restored)
        {
            announce(new RunMark(timeline, openings, version) { IsOpening = true });
        }

        Statement.Execute(connection, "BEGIN IMMEDIATE");
        Statement.Execute(connection, "UPDATE store SET openings = openings + 1");
        if (restored)
        {
            Renew(connection, Math.Max(version, mark?.Version ?? 0));
        }

        Statement.Execute(connection, "COMMIT");
        return restored;
    }

    /// <summary>A copy goes on above what it holds, and above whatever else was told.</summary>
    public static void BeginTimeline(SqliteConnection connection, long told)
    {
        Statement.Execute(connection, "BEGIN IMMEDIATE");
        Renew(connection, Math.Max(Read(connection).Version, told));
        Statement.Execute(connection, "COMMIT");
    }

    /// <summary>Why it is no store that this program can open; null when it is one.</summary>
    public static string? WhyNot(SqliteConnection connection, string path) => Number(connection, "PRAGMA user_version") switch
    {
        Version => null,
        0 => $"'{path}' is no store of Mesh.",
        var found => $"The store '{path}' has schema {found}; this version of Mesh knows schema {Version} only.",
    };

    public static (string Timeline, long Version, long Openings) Read(SqliteConnection connection)
    {
        using var read = new Statement(connection, "SELECT timeline, version, openings FROM store");
        using var rows = read.Query();
        return rows.Read()
            ? (rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2))
            : throw new DataDirectoryRefusedException(DataDirectoryRefusal.NotAStore, $"The store '{connection.DataSource}' is damaged; restore its backup.");
    }

    public static long Number(SqliteConnection connection, string query)
    {
        using var read = new Statement(connection, query);
        using var rows = read.Query();
        return rows.Read() ? rows.GetInt64(0) : 0;
    }

    private static void Renew(SqliteConnection connection, long told)
    {
        const long Gap = 1_000_000;
        Statement.Execute(connection, "DELETE FROM changes");
        using var renew = new Statement(connection, "UPDATE store SET timeline = ?1, version = ?2, log_start = ?2", 2);
        renew.Execute(NewTimeline(), told + Gap);
    }

    private static string NewTimeline() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
}
