using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>
/// The reports of one session that are being handled: as many at a time as a node may have in flight, each answered on its
/// own, so that one slow Pod delays no other.
/// </summary>
internal sealed class ReportHandling(LinkSession session, ILinkSessionHandler handler, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(LinkLimits.ReportsInFlight);
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    /// <summary>Waits for a free slot only: a node that keeps to the window never waits.</summary>
    public async Task StartAsync(PodReport report, CancellationToken stop)
    {
        await _slots.WaitAsync(stop);
        var handling = HandleAsync(report, stop);
        lock (_gate)
        {
            _running.RemoveWhere(task => task.IsCompleted);
            _running.Add(handling);
        }
    }

    public async Task FinishAsync()
    {
        Task[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _slots.Dispose();

    private async Task HandleAsync(PodReport report, CancellationToken stop)
    {
        try
        {
            var ack = await AskAsync(report, stop);
            ack.Number = report.Number;
            await session.SendAsync(new FromSilo { ReportAck = ack }, stop);
        }
        catch (Exception ending) when (ending is OperationCanceledException or LinkLostException)
        {
            // The node repeats it on its next link.
        }
        finally
        {
            _slots.Release();
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
}
