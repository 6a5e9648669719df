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

    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _byUid = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, Entry> _inFlight = [];
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
            _inFlight.Clear();
            _due.Clear();
            foreach (var entry in _byUid.Values)
            {
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
            RepeatWhatIsDue(now);
            askAfter = _due.TryPeek(out _, out var due) ? time.GetElapsedTime(now, due) : null;
            if (_inFlight.Count >= LinkLimits.ReportsInFlight || !_waiting.TryDequeue(out var entry))
            {
                return null;
            }

            entry.IsWaiting = false;
            _inFlight[entry.Report.Number] = entry;
            _due.Enqueue((entry, entry.Report.Number), now + Ticks(RepeatAfter));
            return entry.Report;
        }
    }

    /// <summary>The report that the silo answers, or null when it was answered before.</summary>
    internal PodReport? Acknowledge(ReportAck ack)
    {
        lock (_gate)
        {
            if (!_inFlight.Remove(ack.Number, out var entry))
            {
                return null;
            }

            _changed.Writer.TryWrite(true);
            if (entry.Report.Number != ack.Number)
            {
                // A newer report of the same Pod waits or is on its way; what was said of the older one still holds.
                return new PodReport(entry.Report) { Number = ack.Number };
            }

            if (ack.Result == ReportAck.Types.Result.Retry)
            {
                var wait = Math.Min(FirstRetry.Ticks << Math.Min(entry.Attempts++, 10), LastRetry.Ticks);
                _due.Enqueue((entry, ack.Number), time.GetTimestamp() + Ticks(TimeSpan.FromTicks(wait)));
                return entry.Report;
            }

            _byUid.Remove(entry.Report.Uid);
            return entry.Report;
        }
    }

    private void RepeatWhatIsDue(long now)
    {
        while (_due.TryPeek(out var item, out var at) && at <= now)
        {
            _due.Dequeue();
            var isCurrent = _byUid.TryGetValue(item.Entry.Report.Uid, out var entry) && entry == item.Entry && entry.Report.Number == item.Number;
            _inFlight.Remove(item.Number);
            if (isCurrent)
            {
                Enqueue(item.Entry);
            }
        }
    }

    private void Enqueue(Entry entry)
    {
        if (!entry.IsWaiting)
        {
            entry.IsWaiting = true;
            _waiting.Enqueue(entry);
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private sealed class Entry
    {
        public PodReport Report { get; set; } = new();

        public bool IsWaiting { get; set; }

        public int Attempts { get; set; }
    }
}
