using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Sqlite;

/// <summary>One copying of the write-ahead log into the store, https://sqlite.org/pragma.html#pragma_wal_checkpoint</summary>
/// <param name="IsBusy">Somebody reads, writes or copies who kept it from what was asked.</param>
/// <param name="Held">Pages that the log held; negative when somebody else copied.</param>
/// <param name="Copied">Those of them that the store has.</param>
internal readonly record struct Checkpoint(bool IsBusy, long Held, long Copied)
{
    /// <summary>Copies what it can, and holds up nobody.</summary>
    public static Checkpoint Passive(SqliteConnection connection) => Run(connection, "PRAGMA wal_checkpoint(PASSIVE)");

    /// <summary>Copies all, so that the next commit starts the log over.</summary>
    public static Checkpoint Restart(SqliteConnection connection) => Run(connection, "PRAGMA wal_checkpoint(RESTART)");

    /// <summary>Copies all, and empties the file.</summary>
    public static Checkpoint Truncate(SqliteConnection connection) => Run(connection, "PRAGMA wal_checkpoint(TRUNCATE)");

    private static Checkpoint Run(SqliteConnection connection, string pragma)
    {
        using var statement = new Statement(connection, pragma);
        using var row = statement.Query();
        return row.Read() ? new Checkpoint(row.GetInt64(0) != 0, row.GetInt64(1), row.GetInt64(2)) : new Checkpoint(true, -1, -1);
    }
}
