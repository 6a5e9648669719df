using System.Threading.Channels;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>
/// What the silo must still learn of this node's Pods: the newest report per Pod (by uid), numbered, and repeated until
/// it is acknowledged, over as many links as that takes. It holds one report a Pod, however often one changes. New Pods,
/// which wait for the silo's store, have a window of their own: no end and no readiness stands behind them.
/// </summary>
public sealed class ReportOutbox(TimeProvider time) : IReportSink
{
    /// <summary>Ends that no silo has heard of yet count too: with the silo away, this is where new Pods are refused.</summary>
    public const int Room = 20_000;

    /// <summary>A silo that has no room for what it was sent says nothing of it.</summary>
    internal static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(2);

    /// <summary>Of what it has heard, and is still to commit.</summary>
    internal static readonly TimeSpan RepeatHeardAfter = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ReportEntry> _byUid = new(StringComparer.Ordinal);

    // Living Pods that the silo knows: what is told of them is published at once.
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    // What was sent on this link and is not answered, whatever its age. One a Pod, as the silo holds its newest only.
    private readonly Dictionary<ulong, ReportEntry> _unanswered = [];
    private readonly ReportWindow _ofKnown = new();
    private readonly ReportWindow _ofNew = new();
    private readonly PriorityQueue<(ReportEntry Entry, ulong Number), long> _due = new();
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
                _byUid.Add(report.Uid, entry = new ReportEntry());
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
                entry.Answered();
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
            var next = NextDue(now) ?? NextOf(_ofKnown) ?? NextOf(_ofNew);
            if (next?.Sent is { } sent)
            {
                Remind(next, sent.Number, now, next.IsHeard ? RepeatHeardAfter : RepeatAfter);
            }

            askAfter = _due.TryPeek(out _, out var due) ? time.GetElapsedTime(now, due) : null;
            return next?.Sent;
        }
    }

    /// <summary>
    /// The report that the silo answers, as it was sent. Null when it was answered before, or only heard; also when a newer
    /// one of the same Pod was sent since: that one is answered too.
    /// </summary>
    internal PodReport? Acknowledge(ReportAck ack)
    {
        lock (_gate)
        {
            if (!_unanswered.TryGetValue(ack.Number, out var entry) || entry.Sent is not { } answered)
            {
                return null;
            }

            _changed.Writer.TryWrite(true);
            if (ack.Result == ReportAck.Types.Result.Heard)
            {
                entry.Heard();
                Remind(entry, ack.Number, time.GetTimestamp(), RepeatHeardAfter);
                return null;
            }

            _unanswered.Remove(ack.Number);
            entry.Answered();
            Learn(answered, ack.Result);
            if (entry.Report.Number != ack.Number)
            {
                Enqueue(entry); // a newer one waits, and may stand elsewhere by what was learned
            }
            else if (ack.Result == ReportAck.Types.Result.Retry)
            {
                var wait = Math.Min(FirstRetry.Ticks << Math.Min(entry.Attempts++, 10), LastRetry.Ticks);
                Remind(entry, ack.Number, time.GetTimestamp(), TimeSpan.FromTicks(wait));
            }
            else
            {
                _byUid.Remove(answered.Uid);
            }

            return answered;
        }
    }

    private void Learn(PodReport answered, ReportAck.Types.Result result)
    {
        if (result == ReportAck.Types.Result.Accepted && answered is { Registered: true, Ended: false })
        {
            _known.Add(answered.Uid);
        }
        else if (result != ReportAck.Types.Result.Retry)
        {
            _known.Remove(answered.Uid);
        }
    }

    /// <summary>What was sent and is still not answered, to be sent again; what is to be tried again joins those that wait.</summary>
    private ReportEntry? NextDue(long now)
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

    private ReportEntry? NextOf(ReportWindow window)
    {
        while (window.TryDequeue(out var entry))
        {
            if (IsKept(entry))
            {
                if (entry.Sent is { } older)
                {
                    _unanswered.Remove(older.Number);
                }

                entry.Send(window);
                _unanswered.Add(entry.Report.Number, entry);
                return entry;
            }
        }

        return null;
    }

    private bool IsKept(ReportEntry entry) => _byUid.TryGetValue(entry.Report.Uid, out var kept) && kept == entry;

    private void Enqueue(ReportEntry entry) =>
        (entry.Report is { Registered: true, Ended: false } && !_known.Contains(entry.Report.Uid) ? _ofNew : _ofKnown).Enqueue(entry);

    /// <summary>Only the last reminder of an entry counts.</summary>
    private void Remind(ReportEntry entry, ulong number, long now, TimeSpan after)
    {
        entry.Due = now + (long)(after.TotalSeconds * time.TimestampFrequency);
        _due.Enqueue((entry, number), entry.Due);
    }
}
