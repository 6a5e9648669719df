using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Sqlite;

/// <summary>Opens connections to <c>mesh.db</c>: one that writes, and a few that read.</summary>
internal sealed class SqliteDatabase(SqliteStoreOptions options) : IDisposable
{
    public const int PageBytes = 4_096;

    private const int MaxReaders = 4;

    private readonly SemaphoreSlim _permits = new(MaxReaders, MaxReaders);
    private readonly Stack<SqliteConnection> _idle = new();
    private volatile bool _isClosed;
    private bool _isDisposed;
    private ulong? _number;

    public string Path => options.DatabasePath;

    /// <summary>Whether the name still stands for the file that was opened first. Where the kernel does not say, nothing is known against it.</summary>
    public bool IsInPlace
    {
        get
        {
            try
            {
                return _number is not { } held || options.NumberOf?.Invoke(Path) == held;
            }
            catch (IOException)
            {
                return true;
            }
        }
    }

    /// <summary>The connection of the committing loop. Its COMMIT returns once the write-ahead log is synced.</summary>
    public SqliteConnection OpenWriter(bool create)
    {
        if (create && !File.Exists(Path))
        {
            // Ours alone before SQLite opens it; the files beside it take over its mode.
            using var made = new FileStream(Path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }

        var connection = Open();
        try
        {
            Statement.Execute(connection, "PRAGMA journal_mode = WAL");
            Statement.Execute(connection, "PRAGMA synchronous = FULL"); // NORMAL would lose acknowledged commits with the power
            Statement.Execute(connection, "PRAGMA wal_autocheckpoint = 0"); // no COMMIT copies the log: WriteAheadLog does
            Statement.Execute(connection, $"PRAGMA journal_size_limit = {options.MaxWriteAheadBytes}");
            Statement.Execute(connection, $"PRAGMA max_page_count = {options.MaxBytes / PageBytes}");
            _number ??= options.NumberOf?.Invoke(Path);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs a query on a reading connection, away from the caller's scheduler: a disk may take its time.</summary>
    public async Task<T> ReadAsync<T>(Func<SqliteConnection, T> query, CancellationToken stop)
    {
        await _permits.WaitAsync(stop);
        try
        {
            if (_isClosed)
            {
                throw new StoreUnavailableException("The store is closed.");
            }

            return await Task.Run(() => Rented(connection => Read(connection, query)), stop);
        }
        catch (SqliteException failed)
        {
            throw new StoreUnavailableException(SqliteFailure.Explain(failed, Path), failed);
        }
        finally
        {
            _permits.Release();
        }
    }

    /// <summary>Uses a connection on the caller's thread, outside any transaction. It counts as reading: <see cref="CloseReaders"/> waits for it.</summary>
    public T Use<T>(Func<SqliteConnection, T> work, CancellationToken stop)
    {
        _permits.Wait(stop);
        try
        {
            return Rented(work);
        }
        finally
        {
            _permits.Release();
        }
    }

    /// <summary>Whether a reading connection is open. False means that none was at that moment.</summary>
    public bool HasReaders
    {
        get
        {
            if (_permits.CurrentCount < MaxReaders)
            {
                return true;
            }

            lock (_idle)
            {
                return _idle.Count > 0;
            }
        }
    }

    /// <summary>
    /// Closes every reading connection. After a failed sync only a store that nobody has open is certain to show what a
    /// restart would show.
    /// </summary>
    public void CloseReaders() => WhileNobodyReads(_ =>
    {
        while (_idle.TryPop(out var connection))
        {
            connection.Dispose();
        }

        return true;
    });

    /// <summary>Waits until each reading connection is idle, and gives them to <paramref name="work"/>; they stay open.</summary>
    public T WhileNobodyReads<T>(Func<IReadOnlyCollection<SqliteConnection>, T> work)
    {
        for (var i = 0; i < MaxReaders; i++)
        {
            _permits.Wait();
        }

        try
        {
            return work(_idle);
        }
        finally
        {
            _permits.Release(MaxReaders);
        }
    }

    /// <summary>Nobody reads any more.</summary>
    public void Close()
    {
        _isClosed = true;
        CloseReaders();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        Close();
        _permits.Dispose();
    }

    private static T Read<T>(SqliteConnection connection, Func<SqliteConnection, T> query)
    {
        Statement.Execute(connection, "BEGIN");
        var result = query(connection);
        Statement.Execute(connection, "COMMIT");
        return result;
    }

    private T Rented<T>(Func<SqliteConnection, T> work)
    {
        var connection = Rent();
        try
        {
            var result = work(connection);
            lock (_idle)
            {
                _idle.Push(connection);
            }

            connection = null;
            return result;
        }
        finally
        {
            connection?.Dispose(); // what failed is not used again
        }
    }

    private SqliteConnection Rent()
    {
        lock (_idle)
        {
            if (_idle.TryPop(out var connection))
            {
                return connection;
            }
        }

        return IsInPlace ? Open() : throw new StoreUnavailableException($"The store '{Path}' was removed or replaced while it is open.");
    }

    /// <summary>A connection to a database file, to be disposed by the caller.</summary>
    public static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = 3, // seconds that a lock of another process is waited for
        }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private SqliteConnection Open() => Connect(Path, SqliteOpenMode.ReadWrite);
}
