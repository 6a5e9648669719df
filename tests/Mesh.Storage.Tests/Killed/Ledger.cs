using System.Globalization;
using Mesh.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Tests.Killed;

/// <summary>What the writers were told, against what the store holds.</summary>
internal sealed class Ledger
{
    private readonly long[] _acknowledged = new long[Writer.Writers];

    public IReadOnlyList<long> Acknowledged => _acknowledged;

    public void Remember(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (line.Split(' ') is [var writer, var count, _])
            {
                _acknowledged[int.Parse(writer, CultureInfo.InvariantCulture)] = long.Parse(count, CultureInfo.InvariantCulture);
            }
        }
    }

    public void Check(string directory)
    {
        var path = Path.Combine(directory, "mesh.db");
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        for (var writer = 0; writer < _acknowledged.Length; writer++)
        {
            var left = Writer.CountOf(SqliteQueries.Read(connection, Writer.Left(writer)));
            var right = Writer.CountOf(SqliteQueries.Read(connection, Writer.Right(writer)));

            // One commit of each writer was under way at most.
            Assert.InRange(left, _acknowledged[writer], _acknowledged[writer] + 1);
            Assert.Equal(left, right);
            _acknowledged[writer] = left;
        }

        using var check = connection.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        Assert.Equal("ok", check.ExecuteScalar());
        check.CommandText = "SELECT (SELECT version FROM store) = (SELECT max(version) FROM changes) AND (SELECT version FROM store) = (SELECT count(*) FROM changes)";
        Assert.Equal(1L, check.ExecuteScalar());
    }
}
