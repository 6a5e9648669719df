using Mesh.Storage.Sqlite;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Storage.Tests;

public sealed class WriteAheadLogTests
{
    private const int Limit = 1024 * 1024;

    [Fact]
    public void What_gathered_is_copied_and_the_next_commit_starts_the_log_over()
    {
        using var store = new Written();
        store.Write(kilobytes: 600);

        store.Log.Copy(TestContext.Current.CancellationToken);
        var length = store.Length;
        store.Write(kilobytes: 400);

        Assert.Equal(length, store.Length);
        Assert.Equal(0, store.AskedForRoom);
    }

    [Fact]
    public void A_log_that_is_never_copied_whole_is_started_over_by_the_committing_loop()
    {
        using var store = new Written();
        using (store.Reader())
        {
            store.Write(kilobytes: 900);
            store.Log.Copy(TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, store.AskedForRoom);
        store.Log.Bound(store.Writer);
        var length = store.Length;
        store.Write(kilobytes: 400);

        Assert.Equal(length, store.Length);
    }

    [Fact]
    public void A_log_of_which_much_is_left_to_copy_is_left_to_the_other_thread()
    {
        var stop = TestContext.Current.CancellationToken;
        using var store = new Written(8 * Limit);
        using (store.Reader())
        {
            store.Write(kilobytes: 6_500);
            store.Log.Copy(stop);
        }

        var copied = store.StoreLength;
        Assert.Equal(1, store.AskedForRoom);
        store.Log.Bound(store.Writer);
        Assert.Equal(copied, store.StoreLength);

        store.Log.Copy(stop);
        Assert.InRange(store.StoreLength, copied + 1, long.MaxValue);
    }

    [Fact]
    public void A_log_above_its_limit_is_emptied_by_the_committing_loop_when_some_copies_did_not_suffice()
    {
        using var store = new Written();
        using (store.Reader())
        {
            store.Write(kilobytes: 5_000);
            for (var i = 0; i < 4; i++)
            {
                store.Log.Copy(TestContext.Current.CancellationToken);
                store.Log.Bound(store.Writer);
            }

            store.Log.Copy(TestContext.Current.CancellationToken);
        }

        Assert.InRange(store.Length, Limit, long.MaxValue);
        store.Log.Bound(store.Writer);

        Assert.Equal(0, store.Length);
    }

    [Fact]
    public void Whoever_copies_the_log_is_closed_with_the_readers()
    {
        using var store = new Written();
        store.Write(kilobytes: 100);
        store.Log.Copy(TestContext.Current.CancellationToken);

        store.Database.CloseReaders();
        store.Writer.Dispose();

        Assert.Equal(0, store.Length); // whoever closes last removes it
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "checkpoints")]
    public async Task A_copy_that_met_an_exception_is_made_when_more_has_gathered()
    {
        var stop = TestContext.Current.CancellationToken;
        var loops = new WatchedLoops();
        using var store = new Written();
        using var reader = store.Reader();
        var again = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var times = 0;
        await using var log = new WriteAheadLog(store.Database, Limit, () => Tell(), TimeProvider.System, NullLogger.Instance);
        store.Write(kilobytes: 900);
        log.Start(loops.Loops);

        log.Grew(1_000);
        Assert.IsType<InvalidOperationException>(await loops.EndedAsync("checkpoints", stop));
        log.Grew(1_000);

        await again.Task.WaitAsync(stop);

        void Tell()
        {
            if (++times == 1)
            {
                throw new InvalidOperationException("planted");
            }

            again.TrySetResult();
        }
    }

    /// <summary>A database with its writer, and a log that copies when it is told.</summary>
    private sealed class Written : IDisposable
    {
        private readonly string _directory = TestDirectory.Make("mesh-wal-");

        public Written(long limit = Limit)
        {
            Database = new SqliteDatabase(new SqliteStoreOptions { DataDirectory = _directory, MaxWriteAheadBytes = limit });
            Writer = Database.OpenWriter(create: true);
            Statement.Execute(Writer, "CREATE TABLE letters (id INTEGER PRIMARY KEY, text BLOB)");
            Log = new WriteAheadLog(Database, limit, () => AskedForRoom++, TimeProvider.System, NullLogger.Instance);
        }

        public SqliteDatabase Database { get; }

        public SqliteConnection Writer { get; }

        public WriteAheadLog Log { get; }

        public int AskedForRoom { get; private set; }

        public long Length => new FileInfo(Database.Path + "-wal") is { Exists: true } file ? file.Length : 0;

        public long StoreLength => new FileInfo(Database.Path).Length;

        public void Write(int kilobytes)
        {
            using var put = new Statement(Writer, "INSERT OR REPLACE INTO letters VALUES (1, zeroblob(?1))", 1);
            for (var i = 0; i < kilobytes / 100; i++)
            {
                put.Execute(100 * 1024);
            }
        }

        /// <summary>Somebody who reads the store as it is now, until disposed.</summary>
        public SqliteConnection Reader()
        {
            var reader = new SqliteConnection($"Data Source={Database.Path};Pooling=False");
            reader.Open();
            Statement.Execute(reader, "BEGIN");
            Queries.Read(reader, null, "SELECT count(*) FROM letters");
            return reader;
        }

        public void Dispose()
        {
            Writer.Dispose();
            Database.Dispose();
            Directory.Delete(_directory, recursive: true);
        }
    }
}
