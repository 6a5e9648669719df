using System.Net;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client.Hosting;

/// <summary>
/// Follows the host's life with a Pod: an allocated address before the server binds, registered after it has bound, ready by
/// health checks, out of the routes before the server closes, and gone after it.
/// </summary>
internal sealed class MeshRegistrationService : IHostedLifecycleService, IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly Lock _lock = new();
    private readonly MeshOptions _options;
    private readonly PodRegistration _pod;
    private readonly IPodServer _server;
    private readonly HealthReadiness _readiness;
    private readonly ReloadedMetadata _reloaded;
    private readonly MeshOptionsCheck _check;
    private readonly WebServerSeen _web;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly WildcardPorts _wildcards;
    private readonly CancellationTokenRegistration _stopping;
    private Task _checking = Task.CompletedTask;
    private Task? _draining;
    private bool _isDisposed;

    public MeshRegistrationService(
        IOptions<MeshOptions> options,
        IOptionsMonitor<MeshOptions> changes,
        MeshOptionsCheck check,
        IPodServer server,
        WebServerSeen web,
        HealthCheckService health,
        IHostApplicationLifetime lifetime,
        WildcardPorts wildcards,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        (_options, _check, _server, _web, _time) = (options.Value, check, server, web, time);
        _log = loggers.CreateLogger(MeshClient.LogCategory);
        _pod = PodRegistration.Create(_options, time, new Random(), _log);
        (_lifetime, _wildcards, wildcards.Pod) = (lifetime, wildcards, _pod);
        _readiness = new HealthReadiness(_pod, health, time);
        _reloaded = new ReloadedMetadata(_pod, _options, changes, _log);
        _stopping = lifetime.ApplicationStopping.Register(() => DrainOnceAsync());
    }

    public IMeshRegistration Registration => _pod;

    /// <summary>The address must be known before the server binds; without an answer in time it binds as configured.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (_options.Address != MeshOptions.AllocateAddress || !_server.CanBind)
        {
            return;
        }

        using var limit = new CancellationTokenSource(_options.AllocateTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var pod = await _pod.AllocateAsync(either.Token);
            _server.BindAt = pod.Address;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _log.NotAllocated(_options.NodeUrl, _options.AllocateTimeout.TotalSeconds);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        _check.Started();
        await BeginAsync();
        _checking = Task.WhenAll(
            ClientLoop.RunAsync("health checks", _readiness.RunAsync, _time, _log, _stop.Token),
            ClientLoop.RunAsync("taken ports", WarnAsync, _time, _log, _stop.Token),
            ClientLoop.RunAsync("stop of the host", StopWithPodAsync, _time, _log, _stop.Token));
        if (_options.FailFast && await _pod.FailureAsync(_options.RegisterTimeout, cancellationToken) is { } failure)
        {
            throw new InvalidOperationException($"Mesh:FailFast is set, and {failure}");
        }
    }

    /// <summary>Before the server closes its listeners: they stay open until this machine and the others route elsewhere.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await using (cancellationToken.Register(_giveUp.Cancel))
        {
            await DrainOnceAsync();
        }

        await _checking;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken) => await _pod.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        // The container owns this under two service types, and disposes it for each.
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _reloaded.Dispose();
        await _stopping.DisposeAsync();
        await _stop.CancelAsync();
        await _giveUp.CancelAsync();
        await _checking;
        await (_draining ?? Task.CompletedTask);
        await _pod.DisposeAsync();
        _stop.Dispose();
        _giveUp.Dispose();
    }

    private async Task BeginAsync()
    {
        if (_server.BindAt is null)
        {
            // No address was given, or it could not be bound: the Pod is where the server is.
            await _pod.ReleaseAsync();
        }

        var allocated = _pod.Identity?.Address;
        if (_options.Ports.Count > 0)
        {
            await BeginNamedAsync(allocated);
            return;
        }

        if (_server.IsNone && _web.IsThere)
        {
            _log.UnknownServer();
        }

        var isThere = allocated is not null && (_server.IsNone || _server.BoundThere.Count > 0);
        var bound = isThere ? _server.Bound(allocated!) : _server.Bound();
        if (bound.LeftOut.Count > 0)
        {
            _log.LeftOut(string.Join(", ", bound.LeftOut), bound.Address);
        }

        if (!isThere)
        {
            // Nothing was bound there: the server is registered where it is.
            await _pod.ReleaseAsync();
        }

        _pod.Begin(_options.Address is MeshOptions.AllocateAddress or MeshOptions.HostAddress ? bound.Address : _options.Address, bound.Ports);
    }

    /// <summary>
    /// The ports that the options name. Those of the server are where it bound them; of others only the user knows, and has them
    /// at the Pod's address.
    /// </summary>
    private async Task BeginNamedAsync(IPAddress? allocated)
    {
        if (_options.Address != MeshOptions.AllocateAddress)
        {
            _pod.Begin(_options.Address, _options.Ports);
            return;
        }

        var elsewhere = _options.Ports.Where(port => _server.BoundElsewhere.Contains(port.Value)).ToList();
        if (allocated is null || elsewhere.Count == _options.Ports.Count)
        {
            await _pod.ReleaseAsync();
            _pod.Begin(elsewhere.Count > 0 ? _server.Bound().Address : MeshOptions.HostAddress, _options.Ports);
            return;
        }

        if (elsewhere.Count > 0)
        {
            _log.LeftOut(string.Join(", ", elsewhere.Select(port => $"port {port.Key} ({port.Value})")), allocated.ToString());
        }

        _pod.Begin(allocated.ToString(), _options.Ports.Except(elsewhere));
    }

    /// <summary>Beside the application's start, and only once the node is there to be asked.</summary>
    private async Task WarnAsync(CancellationToken stop)
    {
        var ports = _server.Wildcards.Where(port => !_server.BoundThere.Contains(port)).ToList();
        if (ports.Count > 0 && await IsInTimeAsync(_pod.Registered, stop))
        {
            await _wildcards.WarnAsync(ports, stop);
        }
    }

    private async Task StopWithPodAsync(CancellationToken stop)
    {
        if (await IsInTimeAsync(_pod.StopRequested, stop))
        {
            _lifetime.StopApplication();
        }
    }

    private static async Task<bool> IsInTimeAsync(Task what, CancellationToken stop)
    {
        try
        {
            await what.WaitAsync(stop);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>On SIGTERM the lifetime's token comes first, on a call of StopAsync the service's own hook does.</summary>
    private Task DrainOnceAsync()
    {
        lock (_lock)
        {
            return _draining ??= DrainAsync();
        }
    }

    private async Task DrainAsync()
    {
        try
        {
            if (await _pod.DrainAsync(_options.DrainTimeout, _giveUp.Token))
            {
                await Task.Delay(_options.DrainDelay, _time, _giveUp.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The host's own time to stop is over.
        }
    }
}

/// <summary>Whether the host has a web server, which only its own package can ask for its ports.</summary>
internal sealed record WebServerSeen(bool IsThere);
