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
    private bool _isLogEmptied;

    /// <summary>SQLite removes its log then, and makes another for who connects next.</summary>
    public void NobodyWasConnected() => _logNumber = null;

    /// <summary>One sentence while nothing may be written; null when all is in place, or again.</summary>
    /// <param name="isToBeOpenedAnew">The log alone was lost, and what it held is in the store now: whoever opens that next makes another.</param>
    public string? WhyNotWritten(SqliteConnection? writer, out bool isToBeOpenedAnew)
    {
        var why = WhyLost(writer);
        isToBeOpenedAnew = why is null && IsLogLost() && (why = WhyLogIsNotCopied(writer)) is null;
        return why;
    }

    /// <summary>
    /// What a store without a name held is saved beside it, once. Its log is emptied, as the name of that stands beside whatever took the
    /// store's place, and SQLite does not remove the log of a file that has moved.
    /// </summary>
    private string? WhyLost(SqliteConnection? writer)
    {
        if (database.IsInPlace)
        {
            _isLogEmptied = false;
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

        _isLogEmptied = _isLogEmptied || WhyNotEmptied(writer) is null;
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

    /// <summary>Null once what the log without a name held is in the store, and nobody reads from that log.</summary>
    private string? WhyLogIsNotCopied(SqliteConnection? writer)
    {
        if (writer is not null || database.HasReaders)
        {
            if (WhyNotEmptied(writer) is { } why)
            {
                return $"'{_log}' was removed, and nothing is written until what it held is copied into the store: {why}";
            }

            database.CloseReaders();
            log.LogReplaced(_log);
        }

        NobodyWasConnected();
        return null;
    }

    /// <summary>
    /// Copies what the log holds into the store. Whoever has them open does so, whatever their names stand for by now: the writer; else
    /// those who read, one after another, as one that was opened since may have another log. Null when that is done.
    /// </summary>
    private string? WhyNotEmptied(SqliteConnection? writer) => database.WhileNobodyReads(readers =>
    {
        string? why = null;
        foreach (var connection in writer is null ? readers : [writer])
        {
            if ((why = WhyNotEmptiedBy(connection)) is null)
            {
                break;
            }
        }

        return why;
    });

    private string? WhyNotEmptiedBy(SqliteConnection connection)
    {
        try
        {
            return Checkpoint.Truncate(connection).IsBusy ? "another process reads the store." : null;
        }
        catch (SqliteException failed)
        {
            return SqliteFailure.Explain(failed, _store);
        }
    }

    private string? Save(SqliteConnection? writer) =>
        writer is not null ? SaveBy(writer) : database.WhileNobodyReads(readers => readers.Select(SaveBy).FirstOrDefault(saved => saved is not null));

    private string? SaveBy(SqliteConnection connection)
    {
        var (saved, beside) = (_store + ".saved", _store + ".saving");
        if (Path.Exists(saved))
        {
            return null;
        }

        try
        {
            StoreCopy.Write(connection, beside);
            File.Move(beside, saved, overwrite: false);
            return saved;
        }
        catch (Exception failed) when (failed is SqliteException or IOException or UnauthorizedAccessException)
        {
            return null; // there may be no room, nor a directory
        }
    }
}
