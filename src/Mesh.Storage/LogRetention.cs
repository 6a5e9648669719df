namespace Mesh.Storage;

/// <summary>
/// How much of the change log is kept: whichever limit is reached first, however young the rows are. A watch from before what
/// is kept is answered 410 Expired.
/// </summary>
public sealed record LogRetention(TimeSpan MaxAge, int MaxRows, long MaxBytes)
{
    /// <summary>In the store, where a watch cache that fell behind reads on.</summary>
    public static LogRetention Standard { get; } = new(TimeSpan.FromMinutes(15), MaxRows: 200_000, MaxBytes: 256L * 1024 * 1024);

    /// <summary>In the memory of each watch cache: what Kubernetes' own cache of changes keeps.</summary>
    public static LogRetention InMemory { get; } = new(TimeSpan.FromSeconds(75), MaxRows: 200_000, MaxBytes: 64L * 1024 * 1024);

    /// <summary>Whether the oldest row goes, given its age and what the log holds with it.</summary>
    public bool Drops(TimeSpan age, int rows, long bytes) => age > MaxAge || rows > MaxRows || bytes > MaxBytes;

    /// <summary>Whether so much is over the limits that it is not to wait: cutting a few rows with each commit would cost each a sync.</summary>
    public bool IsFarExceeded(int rows, long bytes) => rows - MaxRows > MaxRows / 8 || bytes - MaxBytes > MaxBytes / 8;
}
