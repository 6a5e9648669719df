using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Nodes;

/// <summary>
/// Takes what nodes report to the grains concerned: at most 256 reports at a time, tried again while grains move. What
/// is answered Retry the node reports again.
/// </summary>
public sealed class LinkReports(IGrainFactory grains, TimeProvider time, ILogger<LinkReports> log) : IDisposable
{
    public const int AtOnce = 256;

    private static readonly TimeSpan[] Waits =
        [TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];

    private readonly SemaphoreSlim _gate = new(AtOnce, AtOnce);

    public async Task<PodReportReply> ReportAsync(PodReport report, CancellationToken stop)
    {
        var grain = grains.Keyed<IPodGrain>($"{report.Namespace}/{report.Name}");
        PodReportReply? reply = null;
        await TryAsync(async () => reply = await grain.Report(report, stop), stop);
        reply ??= new PodReportReply(PodReportResult.Retry, 0, 0, "the Pod's grain does not answer");
        GrainsMetrics.Reported(reply.Result);
        return reply;
    }

    /// <summary>Calls until it succeeds, a few times; false when it never did.</summary>
    internal async Task<bool> TryAsync(Func<Task> call, CancellationToken stop)
    {
        await _gate.WaitAsync(stop);
        try
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
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();
}
