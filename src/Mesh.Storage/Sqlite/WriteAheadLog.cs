using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// Keeps <c>mesh.db-wal</c> small. SQLite starts it over by itself after a checkpoint, unless somebody always reads; then a
/// checkpoint is forced in a moment without readers.
/// </summary>
internal sealed class WriteAheadLog(string databasePath, long maxBytes, ILogger log)
{
    private readonly FileInfo _file = new(databasePath + "-wal");
    private bool _isWarned;

    public void Bound(SqliteConnection connection)
    {
        _file.Refresh();
        if (!_file.Exists || _file.Length <= maxBytes)
        {
            _isWarned = false;
            return;
        }

        // It waits for nobody: when somebody reads at this moment, the next look tries again.
        Statement.Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        _file.Refresh();
        if (_file.Exists && _file.Length > maxBytes && !_isWarned)
        {
            _isWarned = true; // once for each time that it grows too large
            log.LogFileLarge(_file.FullName, _file.Length);
        }
    }
}
