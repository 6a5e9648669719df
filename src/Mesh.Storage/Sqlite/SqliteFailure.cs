using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Mesh.Storage.Sqlite;

/// <summary>What an error of SQLite means, in words for the person who runs Mesh.</summary>
internal static class SqliteFailure
{
    public static string Explain(SqliteException failed, string path) => failed.SqliteErrorCode switch
    {
        SQLITE_FULL => $"The disk (or the allowed size) of the store '{path}' is full; nothing was written.",
        SQLITE_READONLY => $"The store '{path}' is read-only; nothing was written.",
        SQLITE_BUSY or SQLITE_LOCKED => $"The store '{path}' is locked by another process.",
        SQLITE_CORRUPT or SQLITE_NOTADB => $"The store '{path}' is damaged; restore its backup.",
        SQLITE_CANTOPEN => $"The store '{path}' cannot be opened.",
        SQLITE_IOERR => $"Reading or writing the store '{path}' failed (SQLite error {failed.SqliteExtendedErrorCode}).",
        _ => $"The store '{path}' answered: {failed.Message}",
    };

    public static bool IsDamage(SqliteException failed) => failed.SqliteErrorCode is SQLITE_CORRUPT or SQLITE_NOTADB;

    /// <summary>
    /// Whether a COMMIT that failed so may survive all the same: its frames can be in the log, complete but not synced.
    /// A full disk cannot: the last frame, which makes the rest count, is what did not fit.
    /// </summary>
    public static bool LeavesOutcomeUnknown(SqliteException failed) =>
        failed.SqliteErrorCode is not (SQLITE_FULL or SQLITE_READONLY or SQLITE_BUSY or SQLITE_LOCKED);
}
