namespace Mesh.Storage.Sqlite;

/// <summary>Commits that wait for the loop: what users asked for first, projections in what room a transaction has left.</summary>
internal sealed class CommitQueue(int maxCommits, long maxBytes)
{
    private readonly object _gate = new();
    private readonly Lane _requests = new();
    private readonly Lane _projections = new();
    private bool _closed;
    private bool _woken;

    /// <summary>Null when the commit waits now; else why it may not.</summary>
    public string? TryAdd(PendingCommit commit)
    {
        lock (_gate)
        {
            var lane = commit.Class == CommitClass.Request ? _requests : _projections;
            if (_closed)
            {
                return "The store is closed.";
            }

            if (lane.Waiting.Count >= maxCommits || lane.Bytes + commit.Bytes > maxBytes)
            {
                return $"{lane.Waiting.Count} commits of {lane.Bytes} bytes wait for the store already; try again later.";
            }

            lane.Waiting.Enqueue(commit);
            lane.Bytes += commit.Bytes;
            Monitor.Pulse(_gate);
            return null;
        }
    }

    /// <summary>
    /// Waits until there is something to do, and fills the group with what waits, <paramref name="maxWrites"/> writes at most
    /// (one commit in any case). The group stays empty after <see cref="Wake"/>. False when closed and empty.
    /// </summary>
    public bool Take(List<PendingCommit> group, int maxWrites)
    {
        lock (_gate)
        {
            while (_requests.Waiting.Count == 0 && _projections.Waiting.Count == 0 && !_woken)
            {
                if (_closed)
                {
                    return false;
                }

                Monitor.Wait(_gate);
            }

            _woken = false;
            var room = _requests.MoveTo(group, maxWrites);
            _projections.MoveTo(group, room);
            return true;
        }
    }

    /// <summary>Lets the loop look at what else is due.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _woken = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Nothing comes in any more; what waits is still committed.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    private sealed class Lane
    {
        public Queue<PendingCommit> Waiting { get; } = new();

        public long Bytes { get; set; }

        public int MoveTo(List<PendingCommit> group, int room)
        {
            while (room > 0 && Waiting.TryDequeue(out var commit))
            {
                Bytes -= commit.Bytes;
                if (commit.TryTake())
                {
                    group.Add(commit);
                    room -= commit.Writes.Count;
                }
            }

            return room;
        }
    }
}
