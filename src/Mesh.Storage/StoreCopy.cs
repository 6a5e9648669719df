using Mesh.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace Mesh.Storage;

/// <summary>What became of a backup or a restore.</summary>
public abstract record StoreCopyOutcome
{
    private StoreCopyOutcome()
    {
    }

    /// <param name="Version">resourceVersion of the copy, and after a restore the first that the store goes on from.</param>
    /// <param name="Objects">How many it holds.</param>
    /// <param name="Replaced">Where the store that a restore replaced was put; null when there was none.</param>
    public sealed record Done(long Version, long Objects, string? Replaced) : StoreCopyOutcome;

    /// <param name="Reason">One sentence. Nothing was changed.</param>
    public sealed record Refused(string Reason) : StoreCopyOutcome;
}

/// <summary>Copies of the embedded store: one is taken while a silo writes, and put in its place while none runs.</summary>
public static class StoreCopy
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string[] Parts = ["", "-wal", "-shm", "-journal"];

    /// <summary>
    /// The store as of one moment, whole or not at all, in one new file that only its owner may read. Commits go on meanwhile.
    /// https://sqlite.org/lang_vacuum.html#vacuuminto
    /// </summary>
    public static StoreCopyOutcome Take(string dataDirectory, string file)
    {
        var store = new SqliteStoreOptions { DataDirectory = dataDirectory }.DatabasePath;
        var beside = $"{file}.{Environment.ProcessId}.partial";
        if (Path.Exists(file))
        {
            return new StoreCopyOutcome.Refused($"'{file}' exists already, and is left as it is.");
        }

        if (!File.Exists(store))
        {
            return new StoreCopyOutcome.Refused($"There is no store '{store}'.");
        }

        try
        {
            using (var source = SqliteDatabase.Connect(store, SqliteOpenMode.ReadWrite))
            {
                if (SqliteSchema.WhyNot(source, store) is { } reason)
                {
                    return new StoreCopyOutcome.Refused(reason);
                }

                Write(source, beside);
            }

            var taken = Look(beside, replaced: null);
            File.Move(beside, file, overwrite: false);
            return taken;
        }
        catch (SqliteException failed)
        {
            return new StoreCopyOutcome.Refused($"'{file}' was not written: {SqliteFailure.Explain(failed, SqliteFailure.IsDamage(failed) ? store : file)}");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or DataDirectoryRefusedException)
        {
            return new StoreCopyOutcome.Refused($"'{file}' was not written: {failed.Message}");
        }
        finally
        {
            Remove(beside);
        }
    }

    /// <summary>
    /// Puts a copy in the place of the store: on a new timeline, above every resourceVersion that backup or store gave out, so that
    /// every watch lists again. The store that was there is kept beside it. The caller holds the directory's lock.
    /// </summary>
    public static StoreCopyOutcome Restore(string dataDirectory, string file)
    {
        var options = new SqliteStoreOptions { DataDirectory = dataDirectory };
        var (store, beside, replaced) = (options.DatabasePath, options.DatabasePath + ".restoring", options.DatabasePath + ".replaced");
        if (!File.Exists(file))
        {
            return new StoreCopyOutcome.Refused($"There is no file '{file}'.");
        }

        if (File.Exists(store) && Path.Exists(replaced))
        {
            return new StoreCopyOutcome.Refused($"'{replaced}' is there from an earlier restore: move it away or delete it first.");
        }

        try
        {
            Remove(beside);
            Copy(file, beside);
            var told = Math.Max(RunMark.Read(options.MarkPath)?.Version ?? 0, VersionOf(store));
            if (Prepare(beside, file, told) is { } reason)
            {
                return new StoreCopyOutcome.Refused(reason);
            }

            Sync(beside);
            var done = Look(beside, File.Exists(store) ? replaced : null); // before: once it is in its place, nothing fails
            PutInPlace(store, beside, replaced);
            Mark(options);
            return done;
        }
        catch (SqliteException failed)
        {
            return new StoreCopyOutcome.Refused(
                SqliteFailure.IsDamage(failed) ? $"'{file}' is damaged, or no store of Mesh." : $"'{file}' was not restored: {SqliteFailure.Explain(failed, store)}");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or DataDirectoryRefusedException)
        {
            return new StoreCopyOutcome.Refused($"'{file}' was not restored: {failed.Message}");
        }
        finally
        {
            Remove(beside);
        }
    }

    /// <summary>A whole copy that is on the disk, and that only its owner may read; its name is for whoever renames it. What fails leaves none.</summary>
    internal static void Write(SqliteConnection source, string beside)
    {
        Remove(beside); // of one that was killed
        try
        {
            new FileStream(beside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }).Dispose();
            using (var copy = new Statement(source, "VACUUM INTO ?1", 1))
            {
                copy.Execute(beside);
            }

            Sync(beside); // SQLite does not
        }
        catch
        {
            Remove(beside);
            throw;
        }
    }

    /// <summary>With the files that SQLite keeps beside it, if they are there.</summary>
    internal static void Remove(string path)
    {
        foreach (var part in Parts.Where(part => File.Exists(path + part)))
        {
            File.Delete(path + part);
        }
    }

    /// <summary>With its write-ahead log, where somebody kept both.</summary>
    private static void Copy(string file, string beside)
    {
        foreach (var part in Parts[..2])
        {
            if (File.Exists(file + part))
            {
                using var from = File.OpenRead(file + part);
                using var to = new FileStream(beside + part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
                from.CopyTo(to);
            }
        }
    }

    /// <summary>Checks that it is a whole store of this version, and begins its new timeline. Why not, when it is none.</summary>
    private static string? Prepare(string beside, string file, long told)
    {
        using var connection = SqliteDatabase.Connect(beside, SqliteOpenMode.ReadWrite);
        if (SqliteSchema.WhyNot(connection, file) is { } reason)
        {
            return reason;
        }

        using (var check = new Statement(connection, "PRAGMA integrity_check(1)"))
        using (var found = check.Query())
        {
            if (!found.Read() || found.GetString(0) != "ok")
            {
                return $"'{file}' is damaged: {(found.HasRows ? found.GetString(0) : "it cannot be checked")}.";
            }
        }

        SqliteSchema.BeginTimeline(connection, told);
        Statement.Execute(connection, "PRAGMA journal_mode = DELETE"); // one file, without a log beside it
        return null;
    }

    /// <summary>A restore that is killed in between leaves no store, which no silo takes for a new one; it can be done again.</summary>
    private static void PutInPlace(string store, string beside, string replaced)
    {
        var moved = new Stack<(string From, string To)>();
        try
        {
            if (File.Exists(store))
            {
                Remove(replaced); // the log of one that somebody deleted alone: it must not meet this one
                Move(store, replaced);
            }

            if (File.Exists(store + "-wal"))
            {
                Move(store + "-wal", replaced + "-wal"); // of one that could not be closed
            }

            File.Delete(store + "-shm");
            Move(beside, store);
        }
        catch
        {
            while (moved.TryPop(out var back))
            {
                File.Move(back.To, back.From, overwrite: false);
            }

            throw;
        }

        void Move(string from, string to)
        {
            File.Move(from, to, overwrite: to.EndsWith("-wal", StringComparison.Ordinal));
            moved.Push((from, to));
        }
    }

    /// <summary>Where this fails the copy is in its place all the same, and the next start takes it for one: that costs one more new timeline.</summary>
    private static void Mark(SqliteStoreOptions options)
    {
        try
        {
            using var connection = SqliteDatabase.Connect(options.DatabasePath, SqliteOpenMode.ReadOnly);
            var (timeline, version, openings) = SqliteSchema.Read(connection);
            new RunMark(timeline, openings, version).Write(options.MarkPath);
        }
        catch (Exception failed) when (failed is SqliteException or IOException or UnauthorizedAccessException)
        {
            // No reason to say that nothing was restored.
        }
    }

    /// <summary>Of the store that is to be replaced, if it can still be read; closing it empties its log into it.</summary>
    private static long VersionOf(string store)
    {
        try
        {
            if (!File.Exists(store))
            {
                return 0;
            }

            using var connection = SqliteDatabase.Connect(store, SqliteOpenMode.ReadWrite);
            return SqliteSchema.WhyNot(connection, store) is null ? SqliteSchema.Read(connection).Version : 0;
        }
        catch (Exception failed) when (failed is SqliteException or DataDirectoryRefusedException)
        {
            return 0; // that is what the backup is for
        }
    }

    private static StoreCopyOutcome.Done Look(string path, string? replaced)
    {
        using var connection = SqliteDatabase.Connect(path, SqliteOpenMode.ReadOnly);
        return new StoreCopyOutcome.Done(SqliteSchema.Read(connection).Version, SqliteSchema.Number(connection, "SELECT count(*) FROM objects"), replaced);
    }

    private static void Sync(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }
}
