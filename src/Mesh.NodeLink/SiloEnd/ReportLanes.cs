using System.Threading.Channels;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>
/// The reports of one session that are not answered yet: of each Pod (by uid) the newest word only. Whoever reads the link
/// puts them here and never waits. What was observed is told on in one lane; what must be committed waits for the store in
/// another, so that no end stands behind a registration. In each many are handled at a time, those of one Pod one after
/// the other.
/// </summary>
internal sealed class ReportLanes(LinkSession session, ILinkSessionHandler handler, ILogger logger)
{
    /// <summary>More than a node may have unanswered. What comes above is left out, and sent again by its node.</summary>
    public const int MostPods = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Pod> _pods = new(StringComparer.Ordinal);
    private readonly Channel<Pod> _observed = Channel.CreateBounded<Pod>(MostPods);
    private readonly Channel<Pod> _asked = Channel.CreateBounded<Pod>(MostPods);

    public void Put(PodReport report)
    {
        lock (_gate)
        {
            if (!_pods.TryGetValue(report.Uid, out var pod))
            {
                if (_pods.Count >= MostPods)
                {
                    return;
                }

                _pods.Add(report.Uid, pod = new Pod(report.Uid));
            }

            // When it was sent again its answer is on the way.
            if (!pod.Observed.Has(report.Number) && !pod.Asked.Has(report.Number))
            {
                Offer(_observed, pod, pod.Observed, report);
            }
        }
    }

    /// <summary>Ends with the first of those who work here: what one has in hand when it meets an exception nobody else would take up.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        List<Task> workers = [.. Enumerable.Range(0, LinkLimits.ReportsInFlight).SelectMany(_ => (Task[])[WorkOnObservedAsync(over.Token), WorkOnAskedAsync(over.Token)])];
        await Task.WhenAny(workers);
        await over.CancelAsync();
        await Task.WhenAll(workers);
    }

    private async Task WorkOnObservedAsync(CancellationToken stop)
    {
        while (true)
        {
            var pod = await NextAsync(_observed, stop);
            while (Next(pod, pod.Observed) is { } report)
            {
                var ack = await AskAsync(handler.OnObservedAsync, report, stop);
                Done(pod, pod.Observed, andAsk: ack is null or { Result: ReportAck.Types.Result.Heard } ? report : null);
                if (ack is not null)
                {
                    await AnswerAsync(report, ack, stop);
                }
            }
        }
    }

    private async Task WorkOnAskedAsync(CancellationToken stop)
    {
        while (true)
        {
            var pod = await NextAsync(_asked, stop);
            while (Next(pod, pod.Asked) is { } report)
            {
                var ack = await AskAsync(OnReportAsync, report, stop);
                Done(pod, pod.Asked, andAsk: null);
                await AnswerAsync(report, ack!, stop);
            }
        }
    }

    /// <summary>Each Pod wakes one idle worker. Those who wait until there is something to read, as ReadAllAsync does, are all woken by each.</summary>
    private static ValueTask<Pod> NextAsync(Channel<Pod> lane, CancellationToken stop) => lane.Reader.ReadAsync(stop);

    /// <summary>Before it is answered: what its node sends again upon the answer is news.</summary>
    private void Done(Pod pod, Place place, PodReport? andAsk)
    {
        lock (_gate)
        {
            place.UnderWay = null;
            if (andAsk is not null)
            {
                Offer(_asked, pod, pod.Asked, andAsk);
            }
        }
    }

    private static void Offer(Channel<Pod> lane, Pod pod, Place place, PodReport report)
    {
        place.Waiting = report;
        if (!place.IsTaken)
        {
            place.IsTaken = true;
            lane.Writer.TryWrite(pod); // has room for every Pod once
        }
    }

    private PodReport? Next(Pod pod, Place place)
    {
        lock (_gate)
        {
            (place.UnderWay, place.Waiting) = (place.Waiting, null);
            if (place.UnderWay is null)
            {
                place.IsTaken = false;
                if (!pod.Observed.IsTaken && !pod.Asked.IsTaken)
                {
                    _pods.Remove(pod.Uid);
                }
            }

            return place.UnderWay;
        }
    }

    private Task AnswerAsync(PodReport report, ReportAck ack, CancellationToken stop)
    {
        ack.Number = report.Number;
        return session.SendAsync(new FromSilo { ReportAck = ack }, stop);
    }

    private async Task<ReportAck?> OnReportAsync(LinkSession link, PodReport report, CancellationToken stop) => await handler.OnReportAsync(link, report, stop);

    private async Task<ReportAck?> AskAsync(
        Func<LinkSession, PodReport, CancellationToken, Task<ReportAck?>> ask, PodReport report, CancellationToken stop)
    {
        try
        {
            return await ask(session, report, stop);
        }
#pragma warning disable CA1031 // The boundary of foreign code: whatever went wrong, the node still has the report and repeats it.
        catch (Exception failed) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            logger.ReportFailed(failed, report.Number, report.Namespace, report.Name);
            return new ReportAck { Result = ReportAck.Types.Result.Retry, Message = failed.Message };
        }
    }

    private sealed class Pod(string uid)
    {
        public string Uid => uid;

        public Place Observed { get; } = new();

        public Place Asked { get; } = new();
    }

    /// <summary>One Pod in one lane.</summary>
    private sealed class Place
    {
        public PodReport? Waiting { get; set; }

        public PodReport? UnderWay { get; set; }

        /// <summary>It waits for a worker, or has one.</summary>
        public bool IsTaken { get; set; }

        public bool Has(ulong number) => Waiting?.Number == number || UnderWay?.Number == number;
    }
}
