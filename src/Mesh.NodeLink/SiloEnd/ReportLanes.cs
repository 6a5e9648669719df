using System.Threading.Channels;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>
/// The reports of one session that are not answered yet: of each Pod (by uid) the newest word only. Whoever reads the link
/// puts them here and never waits. Many are handled at a time, those of one Pod one after the other, each answered on its
/// own, so that one slow Pod delays no other.
/// </summary>
internal sealed class ReportLanes(LinkSession session, ILinkSessionHandler handler, ILogger logger)
{
    /// <summary>More than a node may have unanswered. What comes above is left out, and sent again by its node.</summary>
    public const int MostPods = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Pod> _pods = new(StringComparer.Ordinal);
    private readonly Channel<Pod> _ready = Channel.CreateBounded<Pod>(MostPods);

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

            if (pod.UnderWay?.Number == report.Number)
            {
                return; // sent again, and its answer is on the way
            }

            pod.Waiting = report;
            if (!pod.IsTaken)
            {
                pod.IsTaken = true;
                _ready.Writer.TryWrite(pod); // has room for every Pod once
            }
        }
    }

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, LinkLimits.ReportsInFlight).Select(_ => WorkAsync(stop)));

    private async Task WorkAsync(CancellationToken stop)
    {
        await foreach (var pod in _ready.Reader.ReadAllAsync(stop))
        {
            while (Next(pod) is { } report)
            {
                var ack = await AskAsync(report, stop);
                Done(pod);
                ack.Number = report.Number;
                await session.SendAsync(new FromSilo { ReportAck = ack }, stop);
            }
        }
    }

    private PodReport? Next(Pod pod)
    {
        lock (_gate)
        {
            (pod.UnderWay, pod.Waiting) = (pod.Waiting, null);
            if (pod.UnderWay is null)
            {
                pod.IsTaken = false;
                _pods.Remove(pod.Uid);
            }

            return pod.UnderWay;
        }
    }

    /// <summary>Before it is answered: what its node sends again upon the answer is news.</summary>
    private void Done(Pod pod)
    {
        lock (_gate)
        {
            pod.UnderWay = null;
        }
    }

    private async Task<ReportAck> AskAsync(PodReport report, CancellationToken stop)
    {
        try
        {
            return await handler.OnReportAsync(session, report, stop);
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

        public PodReport? Waiting { get; set; }

        public PodReport? UnderWay { get; set; }

        public bool IsTaken { get; set; }
    }
}
