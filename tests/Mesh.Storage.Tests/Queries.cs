using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Tests;

/// <summary>Looks into a database file past the store.</summary>
internal static class Queries
{
    public static object? Read(SqliteConnection connection, SqliteTransaction? transaction, string sql)
    {
        using var read = connection.CreateCommand();
        read.Transaction = transaction;
#pragma warning disable CA2100 // Every caller passes a constant.
        read.CommandText = sql;
#pragma warning restore CA2100
        return read.ExecuteScalar() is { } value and not DBNull ? value : null;
    }

    /// <summary>Of a database file, with the log that stands beside it.</summary>
    public static object? CountObjects(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        return Read(connection, null, "SELECT count(*) FROM objects");
    }

    /// <summary>The counter of a file that is sound, whose log ends at the counter, and whose two objects were written by the same commit.</summary>
    public static long CheckWhole(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        Assert.Equal("ok", Read(connection, null, "PRAGMA integrity_check"));
        if (Read(connection, null, "SELECT count(*) FROM sqlite_schema") is 0L)
        {
            return 0; // cut before the store was made
        }

        var version = (long?)Read(connection, null, "SELECT version FROM store") ?? 0;
        Assert.Equal(version, (long?)Read(connection, null, "SELECT max(version) FROM changes") ?? 0);
        Assert.InRange((long)Read(connection, null, "SELECT count(DISTINCT uid) FROM objects")!, 0, 1);
        Assert.Equal(version == 0 ? 0L : 2L, Read(connection, null, "SELECT count(*) FROM objects"));
        return version;
    }
}
