namespace Mesh.Storage;

/// <summary>
/// How much of the change log is kept, in the store and in each watch cache. Rows younger than <paramref name="MinAge"/>
/// stay whatever their number, so that a client that lost its watch has time to resume it.
/// </summary>
public sealed record LogRetention(TimeSpan MaxAge, TimeSpan MinAge, int MaxRows, long MaxBytes)
{
    public static LogRetention Standard { get; } =
        new(TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(2), MaxRows: 200_000, MaxBytes: 256L * 1024 * 1024);

    /// <summary>Whether the oldest row goes, given its age and what the log holds with it.</summary>
    public bool Drops(TimeSpan age, int rows, long bytes) =>
        age > MaxAge || (age > MinAge && (rows > MaxRows || bytes > MaxBytes));
}
