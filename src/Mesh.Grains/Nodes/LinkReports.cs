using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Nodes;

/// <summary>
/// Takes what nodes report to the grains concerned, tried again while grains move; what is answered Retry the node reports
/// again. Each caller limits how many it has under way, so that none waits for another's.
/// </summary>
public sealed class LinkReports(IGrainFactory grains, TimeProvider time, ILogger<LinkReports> log)
{
    private static readonly TimeSpan[] Waits =
        [TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];

    /// <summary>What of it waits for no commit; see <see cref="IPodReports.Observe"/>.</summary>
    public async Task<PodReportReply?> ObserveAsync(PodReport report, CancellationToken stop)
    {
        var grain = Grain(report);
        PodReportReply? reply = null;
        if (!await TryAsync(async () => reply = await grain.Observe(report, stop), stop))
        {
            reply = NoAnswer;
        }

        if (reply is not null and not { Result: PodReportResult.Heard })
        {
            GrainsMetrics.Reported(reply.Result);
        }

        return reply;
    }

    public async Task<PodReportReply> ReportAsync(PodReport report, CancellationToken stop)
    {
        var grain = Grain(report);
        PodReportReply? reply = null;
        await TryAsync(async () => reply = await grain.Report(report, stop), stop);
        reply ??= NoAnswer;
        GrainsMetrics.Reported(reply.Result);
        return reply;
    }

    /// <summary>Calls until it succeeds, a few times; false when it never did.</summary>
    internal async Task<bool> TryAsync(Func<Task> call, CancellationToken stop)
    {
        foreach (var wait in Waits)
        {
            try
            {
                await call();
                return true;
            }
            catch (Exception problem) when (problem is OrleansException or TimeoutException)
            {
                log.ReportNotTaken(problem); // its silo is leaving or gone, the next try finds another
            }

            await Task.Delay(wait, time, stop);
        }

        return false;
    }

    private static PodReportReply NoAnswer => new(PodReportResult.Retry, 0, 0, "the Pod's grain does not answer");

    private IPodGrain Grain(PodReport report) => grains.Keyed<IPodGrain>($"{report.Namespace}/{report.Name}");
}
