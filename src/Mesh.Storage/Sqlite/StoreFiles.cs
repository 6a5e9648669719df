using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// Whether the names of the store's files still stand for the files that are open: what is written to a file without a name is
/// gone when the process ends, so nothing is acknowledged that would be. For the committing loop alone.
/// </summary>
/// <param name="numberOf">The number of the file for which a name stands (inode), null when there is none; null where nobody can tell.</param>
internal sealed class StoreFiles(SqliteDatabase database, Func<string, ulong?>? numberOf, ILogger log)
{
    private readonly string _store = database.Path;
    private readonly string _log = database.Path + "-wal";
    private ulong? _logNumber;
    private string? _lost;

    /// <summary>With nobody connected SQLite removes its log, and makes another.</summary>
    public void Opened() => _logNumber = null;

    /// <summary>One sentence while nothing may be written; null when all is in place, or again.</summary>
    /// <param name="isToBeOpenedAnew">The log alone was lost, and what it held is in the store now: whoever opens that next makes another.</param>
    public string? WhyNotWritten(SqliteConnection? writer, out bool isToBeOpenedAnew)
    {
        var why = WhyLost(writer);
        isToBeOpenedAnew = why is null && writer is not null && IsLogLost() && (why = WhyLogIsNotCopied(writer)) is null;
        return why;
    }

    /// <summary>What a store without a name held is saved beside it, once.</summary>
    private string? WhyLost(SqliteConnection? writer)
    {
        if (database.IsInPlace)
        {
            return _lost = null;
        }

        if (_lost is null)
        {
            var saved = Save(writer);
            _lost = $"The store '{_store}' was removed or replaced while mesh-silo runs: nothing more is written. "
                + (saved is null ? "" : $"What it held was saved as '{saved}'. ")
                + $"Put the store back; or stop mesh-silo and restore {(saved is null ? "a backup" : "that")} (mesh-silo --restore).";
            log.StoreLost(_lost);
        }

        return _lost;
    }

    /// <summary>Whether only the log lost its name: what stands in it can still be copied into the store by who has it open.</summary>
    private bool IsLogLost()
    {
        try
        {
            var there = numberOf?.Invoke(_log);
            _logNumber ??= there;
            return there != _logNumber;
        }
        catch (IOException)
        {
            return false; // the kernel does not say, which tells nothing of the file
        }
    }

    /// <summary>Null once what the log without a name holds is in the store.</summary>
    private string? WhyLogIsNotCopied(SqliteConnection writer)
    {
        try
        {
            database.CloseReaders();
            using var checkpoint = new Statement(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
            using var row = checkpoint.Query();
            if (row.Read() && row.GetInt64(0) == 0)
            {
                log.LogReplaced(_log);
                return null;
            }

            return $"'{_log}' was removed, and another process reads the store: nothing is written until that has ended.";
        }
        catch (SqliteException failed)
        {
            return $"'{_log}' was removed, and what it held could not be copied into the store: {SqliteFailure.Explain(failed, _store)}";
        }
    }

    private string? Save(SqliteConnection? writer)
    {
        var saved = _store + ".saved";
        if (writer is null || Path.Exists(saved))
        {
            return null;
        }

        try
        {
            using var copy = new Statement(writer, "VACUUM INTO ?1", 1);
            copy.Execute(saved);
            return saved;
        }
        catch (SqliteException)
        {
            return null; // there may be no room, nor a directory
        }
    }
}
