using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Client.Hosting;

/// <summary>
/// Makes the Pod ready by the health checks tagged <c>ready</c>: from the first that passes, until two in a row do not. The
/// application's own word and gates count beside it.
/// </summary>
internal sealed class HealthReadiness(PodRegistration registration, HealthCheckService health, TimeProvider time)
{
    /// <summary>The tag of health checks that decide whether the Pod takes traffic.</summary>
    public const string ReadyTag = "ready";

    private static readonly TimeSpan[] FirstChecks = [TimeSpan.Zero, TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(4);

    /// <summary>One bad check in between is noise.</summary>
    private const int UnhealthyThreshold = 2;

    private IDisposable? _gate = registration.AddReadinessGate("");
    private string _shown = "";
    private Task<HealthReport>? _check;

    public async Task RunAsync(CancellationToken stop)
    {
        var unhealthy = 0;
        try
        {
            for (var i = 0; ; i++)
            {
                await Task.Delay(i < FirstChecks.Length ? FirstChecks[i] : CheckEvery, time, stop);
                var (status, message) = await CheckAsync(stop);
                unhealthy = status == HealthStatus.Unhealthy ? unhealthy + 1 : 0;
                if (unhealthy == 0)
                {
                    _gate?.Dispose();
                    _gate = null;
                    await ShowAsync(message, stop);
                }
                else if (unhealthy >= UnhealthyThreshold)
                {
                    Hold(message);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host stops; draining takes over.
        }
    }

    /// <summary>A check that does not answer counts as failed, and is not started a second time meanwhile.</summary>
    private async Task<(HealthStatus Status, string Message)> CheckAsync(CancellationToken stop)
    {
        try
        {
            _check ??= health.CheckHealthAsync(check => check.Tags.Contains(ReadyTag), stop);
            var report = await _check.WaitAsync(CheckTimeout, time, stop);
            _check = null;
            var bad = report.Entries.Where(entry => entry.Value.Status == report.Status).Select(entry => entry.Key);
            return (report.Status, report.Status == HealthStatus.Healthy ? "" : $"{report.Status}: {string.Join(", ", bad)}");
        }
        catch (TimeoutException)
        {
            return (HealthStatus.Unhealthy, $"Unhealthy: no answer within {CheckTimeout.TotalSeconds} s");
        }
#pragma warning disable CA1031 // The application's code: a check that cannot even be made is a failed check, and no end of this loop.
        catch (Exception failed) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            _check = null;
            return (HealthStatus.Unhealthy, $"Unhealthy: {failed.GetType().Name}");
        }
    }

    private void Hold(string message)
    {
        if (_gate?.ToString() == message)
        {
            return;
        }

        var before = _gate;
        _gate = registration.AddReadinessGate(message);
        before?.Dispose();
    }

    /// <summary>Degraded stays ready, and says so.</summary>
    private async Task ShowAsync(string message, CancellationToken stop)
    {
        if (message != _shown)
        {
            await registration.NoteAsync(message, stop);
            _shown = message;
        }
    }
}
