using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// What the change log's rows are dated by, in milliseconds: a clock that goes only while a silo has the store open, on from
/// the newest row. So neither a wall clock that was set nor a night without a silo makes a row older or younger.
/// </summary>
internal sealed class LogClock(long newest, TimeProvider time)
{
    private readonly long _opened = time.GetTimestamp();

    public long Now => newest + (long)time.GetElapsedTime(_opened).TotalMilliseconds;

    public static LogClock Of(SqliteConnection connection, TimeProvider time)
    {
        using var read = new Statement(connection, "SELECT at FROM changes ORDER BY version DESC LIMIT 1");
        using var row = read.Query();
        return new LogClock(row.Read() ? row.GetInt64(0) : 0, time);
    }
}
