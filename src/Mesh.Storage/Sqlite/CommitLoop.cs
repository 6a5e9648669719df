using Mesh.Loops;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// The one thread that writes. While it syncs a transaction the next commits gather, so a busy store writes large groups
/// and an idle one answers a single commit at once.
/// </summary>
internal sealed class CommitLoop : IAsyncDisposable
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);

    private readonly SqliteDatabase _database;
    private readonly CommitQueue _queue;
    private readonly Followers _followers;
    private readonly SqliteStoreOptions _options;
    private readonly ProcessLoops _loops;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LogClock _clock;
    private readonly LogTrimmer _trimmer;
    private readonly RunMarkLoop _mark;
    private readonly WriteAheadLog _writeAheadLog;
    private readonly StoreFiles _files;
    private readonly List<PendingCommit> _group = [];
    private readonly Lock _trimGate = new();
    private readonly CancellationTokenSource _closed = new();
    private SqliteConnection? _connection;
    private GroupCommit? _transactions;
    private List<TaskCompletionSource> _trimAsked = [];
    private bool _isTrimDue;
    private bool _isTrimFailing;
    private ITimer? _tick;
    private Task _running = Task.CompletedTask;

    public CommitLoop(
        SqliteConnection connection,
        SqliteDatabase database,
        CommitQueue queue,
        Followers followers,
        RunMarkLoop mark,
        SqliteStoreOptions options,
        ProcessLoops loops,
        TimeProvider time,
        ILogger log)
    {
        (_connection, _database, _queue, _followers, _mark, _options, _loops, _time, _log) =
            (connection, database, queue, followers, mark, options, loops, time, log);
        _transactions = new GroupCommit(connection);
        _clock = LogClock.Of(connection, time);
        _trimmer = new LogTrimmer(options.Retention);
        _trimmer.Measure(connection);
        _files = new StoreFiles(database, options.NumberOf, log);
        _writeAheadLog = new WriteAheadLog(database, options.MaxWriteAheadBytes, () => AskForTrim([]), time, log);
    }

    public void Start()
    {
        // A thread of its own: a sync may take long, and the pool has grains and sockets to serve.
        _running = _loops.RunToEndAsync("commits", ProcessLoops.OnThread(Run), _closed.Token);
        _writeAheadLog.Start(_loops);
        _mark.Start(_loops);
        _tick = _time.CreateTimer(_ => AskForTrim([]), null, TickEvery, TickEvery);
    }

    /// <summary>Carries out what waits, then ends the thread and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_tick is { } tick)
        {
            await tick.DisposeAsync();
        }

        _queue.Close();
        await _closed.CancelAsync(); // what waits is carried out first, unless the loop is down
        await _running;
        while (_queue.Take(_group, _options.MaxGroupWrites))
        {
            FailAll(static () => new StoreUnavailableException("The store is closed."));
            _group.Clear();
        }

        Close();
        await _writeAheadLog.DisposeAsync();
        await _mark.DisposeAsync();
        Answer(TakeTrimRequests());
        _closed.Dispose();
    }

    /// <summary>Until the log is cut to what is due by now.</summary>
    public Task TrimAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        AskForTrim([done]);
        return done.Task;
    }

    private void AskForTrim(IReadOnlyList<TaskCompletionSource> asked)
    {
        lock (_trimGate)
        {
            _trimAsked.AddRange(asked);
            _isTrimDue = true;
        }

        _queue.Wake();
    }

    /// <summary>To the end of the queue, whatever the token says: what was taken in is carried out.</summary>
    private void Run(CancellationToken closed)
    {
        try
        {
            while (_queue.Take(_group, _options.MaxGroupWrites))
            {
                if (_group.Count > 0)
                {
                    Commit();
                    _group.Clear();
                }

                Trim();
            }

            _ = WhyNotWritten(); // what was lost since the last look is saved, and leaves no log beside what took its place
            Close();
        }
        catch (Exception fault)
        {
            Abandon(fault);
            throw;
        }
    }

    /// <summary>Nobody waits for a loop that is down, and the next run opens what this one may have left half done.</summary>
    private void Abandon(Exception fault)
    {
        try
        {
            CloseAll();
        }
        finally
        {
            FailAll(() => new CommitOutcomeUnknownException($"A fault of the store: {fault.Message}", fault));
            _group.Clear();
        }
    }

    private void Commit()
    {
        var started = _time.GetTimestamp();
        if (WhyNotWritten() is { } lost)
        {
            FailAll(() => new StoreUnavailableException(lost)); // what is open stays so: it may be all that is left
            return;
        }

        GroupResult result;
        try
        {
            result = Transactions().Run(_group, _clock.Now);
        }
        catch (StoreUnavailableException failed)
        {
            _log.NotWritten(_group.Count, failed.Message, failed);
            Close();
            FailAll(() => new StoreUnavailableException(failed.Message, failed.InnerException));
            return;
        }
        catch (CommitOutcomeUnknownException failed)
        {
            // Its frames may lie in the log behind what open connections know. With nobody connected, opening again
            // shows what a restart would show, before anyone is answered.
            _log.OutcomeUnknown(_group.Count, failed.Message, failed);
            CloseAll();
            FailAll(() => new CommitOutcomeUnknownException(failed.Message, failed.InnerException));
            return;
        }
#pragma warning disable CA1031 // The loop that everybody's commits go through outlives a fault; closing the connection undoes the transaction.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            _log.NotWritten(_group.Count, fault.Message, fault);
            Close();
            FailAll(() => new StoreUnavailableException($"A fault of the store: {fault.Message}", fault));
            return;
        }

        if (result.Page.Changes.Count > 0)
        {
            _mark.Committed(result.Page.Through.Version);
            _writeAheadLog.Grew(Transactions().TakeWrittenPages());
            _trimmer.Grew(result.Page.Changes.Count, result.ReplacedBytes);
            _followers.Tell(result.Page);
        }

        for (var i = 0; i < _group.Count; i++)
        {
            _group[i].Answer(result.Outcomes[i]);
        }

        StorageMetrics.Committed(_group.Count, _time.GetElapsedTime(started));
    }

    /// <summary>Nothing is written to files that lost their names.</summary>
    private string? WhyNotWritten()
    {
        var why = _files.WhyNotWritten(_connection, out var isToBeOpenedAnew);
        if (isToBeOpenedAnew)
        {
            Close();
        }

        return why;
    }

    /// <summary>Opened anew after a failure: a full disk that has room again, or a lock that is gone, heals by itself.</summary>
    private GroupCommit Transactions()
    {
        if (_transactions is not null)
        {
            return _transactions;
        }

        try
        {
            _connection = _database.OpenWriter(create: false);
            _trimmer.Measure(_connection);
            return _transactions = new GroupCommit(_connection);
        }
        catch (SqliteException failed)
        {
            throw new StoreUnavailableException(SqliteFailure.Explain(failed, _database.Path), failed);
        }
    }

    private void Close()
    {
        _transactions?.Dispose();
        _connection?.Dispose();
        (_transactions, _connection) = (null, null);
        if (!_database.HasReaders)
        {
            _files.NobodyWasConnected();
        }
    }

    private void CloseAll()
    {
        Close();
        _database.CloseReaders();
        _files.NobodyWasConnected();
    }

    private void FailAll(Func<Exception> failure)
    {
        foreach (var commit in _group)
        {
            commit.Fail(failure()); // one each: an exception that several callers throw loses its stack
        }
    }

    private void Trim()
    {
        if (!_isTrimDue && (!_trimmer.IsOverfull || _isTrimFailing))
        {
            return;
        }

        var asked = TakeTrimRequests();
        try
        {
            if (WhyNotWritten() is null && _connection is { } connection)
            {
                _writeAheadLog.Bound(connection);
                var isMoreDue = _trimmer.CutPiece(connection, _clock.Now);
                _isTrimFailing = false;
                if (isMoreDue)
                {
                    AskForTrim(asked); // the next piece, after the commits that came meanwhile
                    return;
                }
            }
        }
#pragma warning disable CA1031 // Commits go on, and the log is cut a second later, however large it is: to open it anew for each would be dear.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            _log.NotTrimmed(failed is SqliteException known ? SqliteFailure.Explain(known, _database.Path) : failed.Message, failed);
            Close();
            _isTrimFailing = true;
        }

        Answer(asked);
    }

    private List<TaskCompletionSource> TakeTrimRequests()
    {
        lock (_trimGate)
        {
            var asked = _trimAsked;
            (_trimAsked, _isTrimDue) = ([], false);
            return asked;
        }
    }

    private static void Answer(List<TaskCompletionSource> asked)
    {
        foreach (var done in asked)
        {
            done.TrySetResult();
        }
    }
}
