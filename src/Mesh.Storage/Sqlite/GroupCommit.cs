using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Names;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Mesh.Storage.Sqlite;

/// <summary>The committing loop's connection: carries a group of commits through one transaction.</summary>
internal sealed class GroupCommit : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private readonly Statement _reserve;
    private readonly Statement _correct;
    private readonly Statement _find;
    private readonly Statement _document;
    private readonly Statement _insert;
    private readonly Statement _update;
    private readonly Statement _delete;
    private readonly Statement _logAdded;
    private readonly Statement _logReplaced;

    public GroupCommit(SqliteConnection connection)
    {
        _connection = connection;
        _begin = new Statement(connection, "BEGIN IMMEDIATE");
        _commit = new Statement(connection, "COMMIT");
        _rollback = new Statement(connection, "ROLLBACK");
        _reserve = new Statement(connection, "UPDATE store SET version = version + ?1 RETURNING version, timeline", 1);
        _correct = new Statement(connection, "UPDATE store SET version = ?1", 1);
        _find = new Statement(
            connection,
            "SELECT id, uid, version, created, deleting, length(document) FROM objects WHERE grp = ?1 AND kind = ?2 AND namespace = ?3 AND name = ?4",
            4);
        _document = new Statement(connection, "SELECT document FROM objects WHERE id = ?1", 1);
        _insert = new Statement(
            connection,
            "INSERT INTO objects (grp, kind, namespace, name, uid, version, created, deleting, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            9);
        _update = new Statement(connection, "UPDATE objects SET uid = ?2, version = ?3, created = ?4, deleting = ?5, document = ?6 WHERE id = ?1", 6);
        _delete = new Statement(connection, "DELETE FROM objects WHERE id = ?1", 1);
        _logAdded = new Statement(connection, "INSERT INTO changes (version, at, type, grp, kind, namespace, name) VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6)", 6);
        _logReplaced = new Statement(
            connection,
            """
            INSERT INTO changes (version, at, type, grp, kind, namespace, name, uid, previous, created, deleting, document)
            SELECT ?1, ?2, ?3, grp, kind, namespace, name, uid, version, created, deleting, document FROM objects WHERE id = ?4
            """,
            4);
    }

    /// <summary>
    /// All commits of the group that hold, durable when this returns. A commit sees the effects of those before it; one
    /// whose precondition fails has none.
    /// </summary>
    /// <param name="at">By the <see cref="LogClock"/>.</param>
    /// <exception cref="StoreUnavailableException">Nothing was written.</exception>
    /// <exception cref="CommitOutcomeUnknownException">COMMIT itself failed.</exception>
    public GroupResult Run(IReadOnlyList<PendingCommit> group, long at)
    {
        GroupResult result;
        try
        {
            _begin.Execute();
            result = Evaluate(group, at);
            if (result.Page.Changes.Count == 0)
            {
                _rollback.Execute();
                return result;
            }
        }
        catch (SqliteException failed)
        {
            Rollback();
            throw new StoreUnavailableException(SqliteFailure.Explain(failed, _connection.DataSource), failed);
        }

        try
        {
            _commit.Execute();
            return result;
        }
        catch (SqliteException failed)
        {
            Rollback();
            var reason = SqliteFailure.Explain(failed, _connection.DataSource);
            throw SqliteFailure.LeavesOutcomeUnknown(failed)
                ? new CommitOutcomeUnknownException(reason, failed)
                : new StoreUnavailableException(reason, failed);
        }
    }

    /// <summary>Pages that went to the write-ahead log since this was last asked.</summary>
    public int TakeWrittenPages()
    {
        sqlite3_db_status(_connection.Handle, SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, resetFlg: 1);
        return pages;
    }

    public void Dispose()
    {
        foreach (var statement in new[]
        {
            _begin, _commit, _rollback, _reserve, _correct, _find, _document, _insert, _update, _delete, _logAdded, _logReplaced,
        })
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private GroupResult Evaluate(IReadOnlyList<PendingCommit> group, long at)
    {
        var rows = group.Sum(commit => commit.Rows);
        var (reserved, timeline) = Reserve(rows);
        var start = reserved - rows;
        var transaction = new Progress(start, at);
        var outcomes = new CommitOutcome[group.Count];
        for (var i = 0; i < group.Count; i++)
        {
            outcomes[i] = Apply(group[i], transaction);
        }

        if (transaction.Version != reserved)
        {
            _correct.Execute(transaction.Version); // failed commits leave no holes
        }

        return new GroupResult(
            outcomes, new LogPage(new LogPosition(timeline, transaction.Version), start, transaction.Changes), transaction.ReplacedBytes);
    }

    /// <summary>First in the transaction, so that also with several writers the order of versions is the order of commits.</summary>
    private (long Version, string Timeline) Reserve(int rows)
    {
        using var row = _reserve.Query(rows);
        row.Read();
        var reserved = (row.GetInt64(0), row.GetString(1));
        row.Read(); // to its end: only then is the statement done
        return reserved;
    }

    private CommitOutcome Apply(PendingCommit commit, Progress transaction)
    {
        var found = new Found?[commit.Writes.Count];
        Deleted?[]? last = null;
        for (var i = 0; i < found.Length; i++)
        {
            var write = commit.Writes[i].Write;
            found[i] = Find(write.Key);
            if (!Holds(ConditionOf(write), found[i]))
            {
                return new CommitOutcome.Failed(i, write, found[i] is { } row ? Stored(write.Key, row) : null);
            }

            // Before anything of this commit is written: what cannot be read fails nobody else of the group.
            if (write is Write.Delete && found[i] is { } stored && !TryReadLast(write.Key, stored, out (last ??= new Deleted?[found.Length])[i], out var problem))
            {
                return new CommitOutcome.Refused(i, write, $"The stored document of {write.Key} cannot be read ({problem}); replace it, then delete it.");
            }
        }

        var objects = new StoredObject?[found.Length];
        for (var i = 0; i < found.Length; i++)
        {
            objects[i] = commit.Writes[i] switch
            {
                { Write: Write.Put put, Scan: { } scan } => Put(put.Key, scan, found[i], transaction),
                { Write: Write.Delete } when last?[i] is { } deleted => Delete(found[i]!.Value, deleted, transaction),
                _ => null,
            };
        }

        return new CommitOutcome.Committed(objects, transaction.Version);
    }

    private StoredObject Put(ObjectKey key, DocumentScan scan, Found? before, Progress transaction)
    {
        var version = transaction.Next();
        var created = before is { } same && same.Uid == scan.Uid ? same.Created : version;
        var document = scan.WithVersion(version);
        var stored = new StoredObject(key, scan.Uid, version, created, scan.IsDeleting, document);
        if (before is { } old)
        {
            _logReplaced.Execute(version, transaction.At, (int)StoreChangeType.Modified, old.Id);
            _update.Execute(old.Id, scan.Uid, version, created, scan.IsDeleting, document);
            transaction.Add(StoreChangeType.Modified, stored, old.Bytes);
        }
        else
        {
            _logAdded.Execute(version, transaction.At, key.Group, key.Kind, key.Namespace, key.Name);
            _insert.Execute(key.Group, key.Kind, key.Namespace, key.Name, scan.Uid, version, created, scan.IsDeleting, document);
            transaction.Add(StoreChangeType.Added, stored, 0);
        }

        return stored;
    }

    /// <summary>Of an object that is not there, nothing is deleted, and nothing is logged.</summary>
    private StoredObject? Delete(Found before, Deleted deleted, Progress transaction)
    {
        var version = transaction.Next();
        _logReplaced.Execute(version, transaction.At, (int)StoreChangeType.Deleted, before.Id);
        _delete.Execute(before.Id);
        transaction.Add(
            StoreChangeType.Deleted, deleted.Last with { ResourceVersion = version, Document = deleted.Scan.WithVersion(version) }, before.Bytes);
        return null;
    }

    private bool TryReadLast(ObjectKey key, Found found, [NotNullWhen(true)] out Deleted? deleted, [NotNullWhen(false)] out string? problem)
    {
        var last = Stored(key, found);
        deleted = DocumentScan.TryRead(key, last.Document, out var scan, out problem) ? new Deleted(last, scan) : null;
        return deleted is not null;
    }

    private Found? Find(ObjectKey key)
    {
        using var row = _find.Query(key.Group, key.Kind, key.Namespace, key.Name);
        return row.Read()
            ? new Found(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetBoolean(4), row.GetInt64(5))
            : null;
    }

    private StoredObject Stored(ObjectKey key, Found found)
    {
        using var row = _document.Query(found.Id);
        row.Read();
        return new StoredObject(key, found.Uid, found.Version, found.Created, found.IsDeleting, row.GetFieldValue<byte[]>(0));
    }

    private static Precondition ConditionOf(Write write) => write switch
    {
        Write.Put put => put.If,
        Write.Delete delete => delete.If,
        Write.Check check => check.If,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static bool Holds(Precondition condition, Found? found) => condition switch
    {
        Precondition.Anything => true,
        Precondition.Absent => found is null,
        Precondition.Active => found is { IsDeleting: false },
        Precondition.Is wanted => found is { } row
            && (wanted.ResourceVersion == 0 || wanted.ResourceVersion == row.Version)
            && (wanted.Uid is null || wanted.Uid == row.Uid),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private void Rollback()
    {
        try
        {
            _rollback.Execute();
        }
        catch (SqliteException)
        {
            // SQLite rolled back by itself, or the connection is broken: its owner closes it either way.
        }
    }

    private readonly record struct Found(long Id, string Uid, long Version, long Created, bool IsDeleting, long Bytes);

    private sealed record Deleted(StoredObject Last, DocumentScan Scan);

    private sealed class Progress(long start, long at)
    {
        private readonly List<StoreChange> _changes = [];

        public long Version { get; private set; } = start;

        public long At => at;

        public long ReplacedBytes { get; private set; }

        public IReadOnlyList<StoreChange> Changes => _changes;

        public long Next() => ++Version;

        public void Add(StoreChangeType type, StoredObject stored, long replacedBytes)
        {
            _changes.Add(new StoreChange(type, stored, null));
            ReplacedBytes += replacedBytes;
        }
    }
}

/// <param name="Outcomes">Parallel to the group.</param>
/// <param name="Page">Without changes: nothing was written.</param>
internal sealed record GroupResult(IReadOnlyList<CommitOutcome> Outcomes, LogPage Page, long ReplacedBytes);
