using System.Threading.Channels;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>
/// What the silo must still learn of this node's Pods: the newest report per Pod (by uid), numbered, and repeated until
/// it is acknowledged, over as many links as that takes. It holds one report a Pod, however often one changes.
/// </summary>
public sealed class ReportOutbox(TimeProvider time) : IReportSink
{
    /// <summary>Ends that no silo has heard of yet count too: with the silo away, this is where new Pods are refused.</summary>
    public const int Room = 20_000;

    /// <summary>A silo that has no room for what it was sent says nothing of it.</summary>
    internal static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _byUid = new(StringComparer.Ordinal);

    // What was sent on this link and is not answered, whatever its age: the window. One a Pod, as the silo holds its newest only.
    private readonly Dictionary<ulong, Entry> _unanswered = [];
    private readonly Queue<Entry> _waiting = new();
    private readonly PriorityQueue<(Entry Entry, ulong Number), long> _due = new();
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private ulong _number;

    public bool HasRoom => Count < Room;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byUid.Count;
            }
        }
    }

    /// <summary>Holds an item when there may be something to take.</summary>
    internal ChannelReader<bool> Changed => _changed.Reader;

    public void Put(PodReport report)
    {
        lock (_gate)
        {
            if (!_byUid.TryGetValue(report.Uid, out var entry))
            {
                _byUid.Add(report.Uid, entry = new Entry());
            }
            else if (report.Liveness < entry.Report.Liveness)
            {
                // Two threads that tell of one Pod may meet here in the wrong order.
                return;
            }

            report.Number = ++_number;
            entry.Report = report;
            entry.Attempts = 0;
            Enqueue(entry);
        }

        _changed.Writer.TryWrite(true);
    }

    /// <summary>On a new link nothing is in flight: the other end may have died with it.</summary>
    internal void BeginLink()
    {
        lock (_gate)
        {
            _unanswered.Clear();
            _due.Clear();
            foreach (var entry in _byUid.Values)
            {
                entry.Sent = null;
                Enqueue(entry);
            }
        }

        _changed.Writer.TryWrite(true);
    }

    /// <summary>The next report to send now; otherwise null, and when to ask again without being told.</summary>
    internal PodReport? Take(out TimeSpan? askAfter)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var next = NextDue(now) ?? NextWaiting();
            if (next?.Sent is { } sent)
            {
                Remind(next, sent.Number, now, RepeatAfter);
            }

            askAfter = _due.TryPeek(out _, out var due) ? time.GetElapsedTime(now, due) : null;
            return next?.Sent;
        }
    }

    /// <summary>
    /// The report that the silo answers, as it was sent. Null when it was answered before, or when a newer one of the same
    /// Pod was sent since: that one is answered too.
    /// </summary>
    internal PodReport? Acknowledge(ReportAck ack)
    {
        lock (_gate)
        {
            if (!_unanswered.Remove(ack.Number, out var entry) || entry.Sent is not { } answered)
            {
                return null;
            }

            entry.Sent = null;
            _changed.Writer.TryWrite(true);
            if (entry.Report.Number != ack.Number)
            {
                return answered; // a newer one waits to be sent
            }

            if (ack.Result == ReportAck.Types.Result.Retry)
            {
                var wait = Math.Min(FirstRetry.Ticks << Math.Min(entry.Attempts++, 10), LastRetry.Ticks);
                Remind(entry, ack.Number, time.GetTimestamp(), TimeSpan.FromTicks(wait));
                return answered;
            }

            _byUid.Remove(answered.Uid);
            return answered;
        }
    }

    /// <summary>What was sent and is still not answered, to be sent again; what is to be tried again joins those that wait.</summary>
    private Entry? NextDue(long now)
    {
        while (_due.TryPeek(out var item, out var at) && at <= now)
        {
            _due.Dequeue();
            if (item.Entry.Report.Number == item.Number && item.Entry.Due == at && IsKept(item.Entry))
            {
                if (item.Entry.Sent is not null)
                {
                    return item.Entry;
                }

                Enqueue(item.Entry);
            }
        }

        return null;
    }

    private Entry? NextWaiting()
    {
        while (_waiting.TryPeek(out var entry))
        {
            if (IsKept(entry) && entry.Sent is null && _unanswered.Count >= LinkLimits.ReportsInFlight)
            {
                return null;
            }

            _waiting.Dequeue();
            entry.IsWaiting = false;
            if (IsKept(entry))
            {
                if (entry.Sent is { } older)
                {
                    _unanswered.Remove(older.Number);
                }

                entry.Sent = entry.Report;
                _unanswered.Add(entry.Sent.Number, entry);
                return entry;
            }
        }

        return null;
    }

    private bool IsKept(Entry entry) => _byUid.TryGetValue(entry.Report.Uid, out var kept) && kept == entry;

    private void Enqueue(Entry entry)
    {
        if (!entry.IsWaiting)
        {
            entry.IsWaiting = true;
            _waiting.Enqueue(entry);
        }
    }

    /// <summary>Only the last reminder of an entry counts.</summary>
    private void Remind(Entry entry, ulong number, long now, TimeSpan after)
    {
        entry.Due = now + Ticks(after);
        _due.Enqueue((entry, number), entry.Due);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private sealed class Entry
    {
        /// <summary>The newest.</summary>
        public PodReport Report { get; set; } = new();

        /// <summary>What went out on this link and is not answered.</summary>
        public PodReport? Sent { get; set; }

        public bool IsWaiting { get; set; }

        public int Attempts { get; set; }

        /// <summary>When it is looked at next without being told.</summary>
        public long Due { get; set; }
    }
}
