using Mesh.Core.Names;
using Mesh.Loops;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// The embedded store: one SQLite file, one committing loop. Whoever starts it stops it; commits that wait then are still
/// carried out.
/// </summary>
public sealed class SqliteStore(SqliteStoreOptions options, ProcessLoops loops, TimeProvider time, ILogger<SqliteStore> log)
    : IObjectStore, IChangeLog, IAsyncDisposable
{
    private readonly SqliteDatabase _database = new(options);
    private readonly CommitQueue _queue = new(options.MaxWaitingCommits, options.MaxWaitingBytes);
    private readonly Followers _followers = new(log);
    private CommitLoop? _loop;

    /// <summary>Opens the store, making it when it is missing, and starts the committing loop.</summary>
    /// <exception cref="DataDirectoryRefusedException">The directory cannot be written, or what stands there is no store of this version.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        if (_loop is null)
        {
            _loop = await Task.Run(Open, stop);
            _loop.Start();
        }
    }

    /// <summary>Refuses new commits, carries out those that wait, and closes the file.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _loop, null) is { } loop)
        {
            await loop.DisposeAsync();
            _database.Close();
        }
    }

    /// <inheritdoc/>
    public async Task<CommitOutcome> CommitAsync(IReadOnlyList<Write> writes, CommitClass commitClass, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (!PendingCommit.TryCreate(writes, commitClass, out var commit, out var refusal))
        {
            return refusal;
        }

        if (_queue.TryAdd(commit) is { } full)
        {
            throw new StoreUnavailableException(full);
        }

        return await commit.WaitAsync(stop);
    }

    /// <inheritdoc/>
    public Task<StoredObject?> ReadAsync(ObjectKey key, CancellationToken stop) =>
        _database.ReadAsync(connection => SqliteQueries.Read(connection, key), stop);

    /// <inheritdoc/>
    public Task<StoreImage> LoadAsync(LogRetention keep, CancellationToken stop) =>
        _database.ReadAsync(connection => SqliteQueries.Load(connection, keep), stop);

    /// <inheritdoc/>
    public Task<LogPosition> PositionAsync(CancellationToken stop) => _database.ReadAsync(SqliteQueries.Position, stop);

    /// <inheritdoc/>
    public Task<LogPage?> ReadAsync(LogPosition after, CancellationToken stop) =>
        _database.ReadAsync(connection => SqliteQueries.Page(connection, after), stop);

    /// <inheritdoc/>
    public IDisposable Follow(Action<LogPage> committed) => _followers.Add(committed);

    /// <summary>Cuts what the log's retention lets go now. The loop does so each second by itself.</summary>
    public Task TrimAsync() => _loop?.TrimAsync() ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _database.Dispose();
    }

    private CommitLoop Open()
    {
        SqliteConnection? connection = null;
        try
        {
            Directory.CreateDirectory(options.DataDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var last = RunMark.Read(options.MarkPath);
            if (!File.Exists(_database.Path))
            {
                SqliteSchema.RefuseLost(_database.Path, last); // before an empty one is made
            }

            connection = _database.OpenWriter(create: true);
            SqliteSchema.Prepare(connection, _database.Path, last);
            var isRestored = SqliteSchema.Open(connection, last, opening => opening.Write(options.MarkPath));
            var (timeline, version, openings) = SqliteSchema.Read(connection);
            var mark = new RunMark(timeline, openings, version);
            mark.Write(options.MarkPath);
            if (isRestored)
            {
                log.Restored(_database.Path, timeline);
            }

            log.Opened(_database.Path, version, timeline);
            var loop = new CommitLoop(
                connection, _database, _queue, _followers, new RunMarkLoop(mark, options.MarkPath, time, log), options, loops, time, log);
            connection = null;
            return loop;
        }
        catch (SqliteException failed)
        {
            throw new DataDirectoryRefusedException(
                SqliteFailure.IsDamage(failed) ? DataDirectoryRefusal.NotAStore : DataDirectoryRefusal.NotWritable,
                SqliteFailure.Explain(failed, _database.Path),
                null,
                failed);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new DataDirectoryRefusedException(
                DataDirectoryRefusal.NotWritable, $"The data directory '{options.DataDirectory}' cannot be written: {failed.Message}", null, failed);
        }
        finally
        {
            connection?.Dispose();
        }
    }
}
