using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client.AspNetCore;

/// <summary>
/// Follows the host's life with a Pod: an allocated address before the server binds, registered after it has bound, ready by
/// health checks, out of the routes before the server closes, and gone after it.
/// </summary>
internal sealed class MeshRegistrationService : IHostedLifecycleService, IAsyncDisposable
{
    private static readonly TimeSpan[] FirstChecks = [TimeSpan.Zero, TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(5);

    /// <summary>One bad check in between is noise.</summary>
    private const int UnhealthyThreshold = 2;

    private readonly CancellationTokenSource _stop = new();
    private readonly MeshOptions _options;
    private readonly ServerPorts _ports;
    private readonly HealthCheckService _health;
    private readonly TimeProvider _time;
    private readonly ILogger<MeshRegistrationService> _log;
    private readonly CancellationTokenRegistration _stopping;
    private Task _checking = Task.CompletedTask;
    private Task _draining = Task.CompletedTask;
    private bool _begun;

    public MeshRegistrationService(
        IOptions<MeshOptions> options,
        IServiceProvider services,
        HealthCheckService health,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        ILogger<MeshRegistrationService> log)
    {
        (_options, _health, _time, _log) = (options.Value, health, time, log);
        _ports = ServerPorts.From(services);
        Registration = PodRegistration.Create(_options, time, new Random(), log);
        _stopping = lifetime.ApplicationStopping.Register(() => _draining = DrainAsync());
    }

    public PodRegistration Registration { get; }

    /// <summary>The address must be known before the server binds; without an answer in time it binds as configured.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (!_options.Enabled || _options.Address != "allocate")
        {
            return;
        }

        using var limit = new CancellationTokenSource(_options.AllocateTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var ports = _options.Ports.Count > 0 ? _options.Ports : _ports.Configured();
        try
        {
            var pod = await Registration.AllocateAsync(ports, either.Token);
            _ports.BindTo(pod.Address);
            _begun = true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _log.NotAllocated(_options.NodeUrl, _options.AllocateTimeout.TotalSeconds);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!_options.Enabled)
        {
            return Task.CompletedTask;
        }

        if (!_begun)
        {
            Registration.Begin(_options.Address == "allocate" ? "host" : _options.Address, _options.Ports.Count > 0 ? _options.Ports : _ports.Bound());
        }

        _checking = CheckAsync(_stop.Token);
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _checking;
        await _draining;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken) => await Registration.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _checking;
        await _stopping.DisposeAsync();
        await Registration.DisposeAsync();
        _stop.Dispose();
    }

    private async Task DrainAsync()
    {
        if (Registration.Identity is null)
        {
            return;
        }

        await Registration.DrainAsync(_options.DrainTimeout, CancellationToken.None);
        await Task.Delay(_options.DrainDelay, _time, CancellationToken.None);
    }

    private async Task CheckAsync(CancellationToken stop)
    {
        var unhealthy = 0;
        try
        {
            for (var i = 0; ; i++)
            {
                await Task.Delay(i < FirstChecks.Length ? FirstChecks[i] : CheckEvery, _time, stop);
                var report = await _health.CheckHealthAsync(check => check.Tags.Contains(MeshHostExtensions.ReadyTag), stop);
                unhealthy = report.Status == HealthStatus.Unhealthy ? unhealthy + 1 : 0;
                if (unhealthy == 0)
                {
                    await Registration.SetReadyAsync(true, stop: stop);
                }
                else if (unhealthy >= UnhealthyThreshold)
                {
                    await Registration.SetReadyAsync(false, Failing(report), stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host stops; draining takes over.
        }
    }

    private static string Failing(HealthReport report) => string.Join(
        ", ",
        report.Entries.Where(entry => entry.Value.Status == HealthStatus.Unhealthy).Select(entry => $"{entry.Key}: {entry.Value.Description}"));
}
