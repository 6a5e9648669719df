using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Sqlite;

/// <summary>Cuts the change log from its old end, a small piece at a time, so that no commit waits long for it.</summary>
internal sealed class LogTrimmer(LogRetention retention)
{
    private const int PieceRows = 1_000;
    private const long PieceBytes = 16 * 1024 * 1024;

    private int _rows;
    private long _bytes;

    /// <summary>Whether the log is so much larger than it should be that the next look would be late.</summary>
    public bool IsOverfull => retention.IsFarExceeded(_rows, _bytes);

    public void Measure(SqliteConnection connection)
    {
        using var sum = new Statement(connection, "SELECT count(*), coalesce(sum(length(document)), 0) FROM changes");
        using var row = sum.Query();
        row.Read();
        _rows = row.GetInt32(0);
        _bytes = row.GetInt64(1);
    }

    public void Grew(int rows, long bytes)
    {
        _rows += rows;
        _bytes += bytes;
    }

    /// <summary>True when there may be more to cut.</summary>
    /// <param name="now">By the <see cref="LogClock"/>.</param>
    public bool CutPiece(SqliteConnection connection, long now)
    {
        var (through, rows, bytes) = Due(connection, now);
        if (rows == 0)
        {
            return false;
        }

        using var cut = new Statement(connection, "DELETE FROM changes WHERE version <= ?1", 1);
        using var mark = new Statement(connection, "UPDATE store SET log_start = ?1", 1);
        using var transaction = connection.BeginTransaction(deferred: false);
        Statement.Join(transaction, cut, mark);
        cut.Execute(through);
        mark.Execute(through);
        transaction.Commit();
        _rows -= rows;
        _bytes -= bytes;
        return rows == PieceRows || bytes >= PieceBytes;
    }

    private (long Through, int Rows, long Bytes) Due(SqliteConnection connection, long now)
    {
        var (through, rows, bytes) = (0L, 0, 0L);
        using var oldest = new Statement(connection, "SELECT version, at, coalesce(length(document), 0) FROM changes ORDER BY version LIMIT 1000");
        using var row = oldest.Query();
        while (bytes < PieceBytes && row.Read())
        {
            var age = TimeSpan.FromMilliseconds(now - row.GetInt64(1));
            if (!retention.Drops(age, _rows - rows, _bytes - bytes))
            {
                break;
            }

            through = row.GetInt64(0);
            rows++;
            bytes += row.GetInt64(2);
        }

        return (through, rows, bytes);
    }
}
