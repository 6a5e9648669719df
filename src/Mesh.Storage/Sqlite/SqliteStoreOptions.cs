using System.ComponentModel.DataAnnotations;

namespace Mesh.Storage.Sqlite;

/// <summary>Where the embedded store is, and its limits.</summary>
public sealed record SqliteStoreOptions
{
    public required string DataDirectory { get; init; }

    /// <summary>Commits of one class that wait at most; one more is answered with <see cref="StoreUnavailableException"/>.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaitingCommits { get; init; } = 4_096;

    /// <summary>Bytes of their documents.</summary>
    [Range(1, long.MaxValue)]
    public long MaxWaitingBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Writes of one transaction, after which no further commit joins it.</summary>
    [Range(1, 100_000)]
    public int MaxGroupWrites { get; init; } = 512;

    /// <summary>Size of the database file at which writes are refused as on a full disk.</summary>
    [Range(64 * 1024, long.MaxValue)]
    public long MaxBytes { get; init; } = 64L * 1024 * 1024 * 1024;

    /// <summary>Size of the write-ahead log above which it is cut as soon as nobody reads; at three quarters of it, commits make room.</summary>
    [Range(64 * 1024, long.MaxValue)]
    public long MaxWriteAheadBytes { get; init; } = 64L * 1024 * 1024;

    public LogRetention Retention { get; init; } = LogRetention.Standard;

    /// <summary>What the watch cache over it keeps in memory.</summary>
    public LogRetention Window { get; init; } = LogRetention.InMemory;

    /// <summary>The number of the file for which a name stands (inode), null when there is none. Without it a lost store is found at the next start.</summary>
    public Func<string, ulong?>? NumberOf { get; init; }

    internal string DatabasePath => Path.Combine(DataDirectory, "mesh.db");

    internal string MarkPath => Path.Combine(DataDirectory, "mesh.db.mark");
}
