using Mesh.Loops;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// Keeps <c>mesh.db-wal</c> small: what gathered in it is copied into <c>mesh.db</c> on a thread of its own while commits go on.
/// SQLite starts the log over by itself with a commit that finds all of it copied. Where commits follow each other too fast
/// for that, the committing loop copies the little that is left; where somebody always reads, a warning says how large it is.
/// </summary>
/// <param name="askForRoom">Lets the committing loop call <see cref="Bound"/> soon.</param>
internal sealed class WriteAheadLog(SqliteDatabase database, long maxBytes, Action askForRoom, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private const int PagesAtOnce = 1_000; // what SQLite itself lets gather, https://sqlite.org/wal.html#automatic_checkpoint
    private const int MaxPostponed = 5;

    private readonly FileInfo _file = new(database.Path + "-wal");
    private readonly long _pagesBetween = Math.Min(PagesAtOnce, maxBytes / 8 / SqliteDatabase.PageBytes);
    private readonly SemaphoreSlim _due = new(0, 1);
    private readonly CancellationTokenSource _closed = new();
    private readonly ToldSeldom _failures = new(time);
    private Task _running = Task.CompletedTask;
    private long _pages;
    private long _written;
    private Copied? _last;
    private int _postponed;
    private bool _isLarge;
    private bool _isWarned;

    public void Start(ProcessLoops loops) => _running = loops.RunAsync("checkpoints", ProcessLoops.OnThread(Run), _closed.Token);

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _running;
        _closed.Dispose();
        _due.Dispose();
    }

    /// <summary>Called by the committing loop after each transaction.</summary>
    public void Grew(int pages)
    {
        _pages += pages;
        Volatile.Write(ref _written, _written + pages);
        if (_pages >= _pagesBetween)
        {
            _pages = 0;
            LetCopy();
        }
    }

    /// <summary>
    /// On the committing loop's own connection, which writes nothing meanwhile. It waits for nobody, and copies about
    /// <see cref="PagesAtOnce"/> pages at most: where more is left, the other thread copies first. Only above the limit, after some passes that
    /// did not suffice, it copies all there is.
    /// </summary>
    public void Bound(SqliteConnection writer)
    {
        _file.Refresh();
        var isOver = _file.Exists && _file.Length > maxBytes;
        _isWarned &= isOver;
        if (!isOver && !Volatile.Read(ref _isLarge))
        {
            _postponed = 0;
            return;
        }

        if (Interlocked.Exchange(ref _last, null) is not { } last)
        {
            LetCopy();
            return;
        }

        if (last.Left + _written - last.Written > PagesAtOnce && (!isOver || ++_postponed < MaxPostponed))
        {
            if (last.Left <= PagesAtOnce)
            {
                LetCopy(); // what came meanwhile; where somebody's reading keeps the rest back, it has time until the next look
            }

            return;
        }

        _postponed = 0;
        Volatile.Write(ref _isLarge, false);

        // Below the limit the file stays as long as it is: to write over it takes a commit less than to make it longer.
        if ((isOver ? Checkpoint.Truncate(writer) : Checkpoint.Restart(writer)).IsBusy && isOver)
        {
            Warn();
        }
    }

    /// <summary>Copies what it can without holding up anybody.</summary>
    public void Copy(CancellationToken stop)
    {
        try
        {
            var written = Volatile.Read(ref _written);
            var (_, held, copied) = database.Use(Checkpoint.Passive, stop);
            if (held < 0)
            {
                return; // somebody else copies at this moment
            }

            Volatile.Write(ref _last, new Copied(held - copied, written));
            if (held - copied + Volatile.Read(ref _written) - written > 0 && held * SqliteDatabase.PageBytes > maxBytes / 4 * 3)
            {
                Volatile.Write(ref _isLarge, true);
                askForRoom();
            }
        }
        catch (Exception failed) when (failed is SqliteException or StoreUnavailableException)
        {
            if (_failures.Count() > 0)
            {
                log.NotCopied(_file.FullName, failed is SqliteException known ? SqliteFailure.Explain(known, database.Path) : failed.Message, failed);
            }
        }
    }

    private void LetCopy()
    {
        if (_due.CurrentCount == 0) // nobody but the committing loop releases it
        {
            _due.Release();
        }
    }

    private void Run(CancellationToken stop)
    {
        while (true)
        {
            _due.Wait(stop);
            Copy(stop);
        }
    }

    private void Warn()
    {
        _file.Refresh();
        if (_file.Exists && _file.Length > maxBytes && !_isWarned)
        {
            _isWarned = true; // once for each time that it grows too large
            log.LogFileLarge(_file.FullName, _file.Length);
        }
    }

    /// <param name="Left">Pages that stood in the log as the pass began, and were not copied by its end.</param>
    /// <param name="Written">Pages that had been written by its begin.</param>
    private sealed record Copied(long Left, long Written);
}
