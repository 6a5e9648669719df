using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.DataPlane.Listening;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L4;

/// <summary>
/// The L4 proxy: one listener for each ClusterIP and TCP port that has usable endpoints, and none where there is no
/// endpoint, so that clients are refused at once. Its one loop opens and closes listeners as Services change.
/// </summary>
public sealed class ServiceListeners : IHostedService, IAsyncDisposable
{
    private readonly L4Context _context;
    private readonly ConnectionSet _connections;
    private readonly PortReports _reports;
    private readonly ChangedServices _changed = new();
    private readonly Dictionary<NamespacedName, Dictionary<IPEndPoint, PortListener?>> _listeners = [];
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private readonly HashSet<NamespacedName> _failing = [];

    public ServiceListeners(
        Published<RoutingSnapshot> routes,
        ServiceListenerOptions options,
        IPortProblems problems,
        ISuspects suspects,
        Random seed,
        TimeProvider time,
        ILogger<ServiceListeners> log)
    {
        _reports = new PortReports("Services", problems, time, log);
        _connections = new ConnectionSet(options.MaxConnections);
        _context = new L4Context(routes, options, suspects, new EndpointPick(seed), _connections, time, log);
    }

    /// <summary>Client connections that are open now.</summary>
    public int OpenConnections => _connections.Count;

    /// <summary>Called by the owner of the snapshot after it was published, with the Services whose route changed; returns at once.</summary>
    public void Update(IEnumerable<NamespacedName> changed) => _changed.Add(changed);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _changed.Add(_context.Routes.Current.Services.Keys);
        _reports.Start();
        _loop = RunAsync(_stop.Token);
        return Task.CompletedTask;
    }

    /// <summary>Stops listening, lets open connections end by themselves, and resets those left when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop;
        await _connections.DrainAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        await _reports.DisposeAsync();
        _connections.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await WaitForWorkAsync(stop);
                await ReconcileAsync(_changed.Take());
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped; the listeners close below.
        }

        foreach (var listener in _listeners.Values.SelectMany(ports => ports.Values).OfType<PortListener>())
        {
            await listener.DisposeAsync();
        }

        _listeners.Clear();
    }

    /// <summary>Waits for a change, and while ports fail no longer than until they are due again.</summary>
    private async Task WaitForWorkAsync(CancellationToken stop)
    {
        if (_failing.Count == 0)
        {
            await _changed.WaitAsync(stop);
            return;
        }

        using var due = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var timer = new CancellationTokenSource(_context.Options.RetryEvery, _context.Time);
        await using var link = timer.Token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), due);
        try
        {
            await _changed.WaitAsync(due.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            _changed.Add(_failing);
        }
    }

    private async Task ReconcileAsync(IReadOnlyCollection<NamespacedName> changed)
    {
        var snapshot = _context.Routes.Current;
        // All that closes before all that opens: a ClusterIP may have moved from one Service to another.
        foreach (var service in changed)
        {
            await CloseUnwantedAsync(service, Wanted(snapshot, service));
        }

        foreach (var service in changed)
        {
            foreach (var address in Wanted(snapshot, service))
            {
                Open(service, address);
            }

            if (!_listeners.TryGetValue(service, out var open) || !open.ContainsValue(null))
            {
                _failing.Remove(service);
            }
        }
    }

    private static ImmutableHashSet<IPEndPoint> Wanted(RoutingSnapshot snapshot, NamespacedName name)
    {
        if (!snapshot.Services.TryGetValue(name, out var route) || route.Service.IsHeadless || route.Service.Type == ServiceType.ExternalName)
        {
            return [];
        }

        return [.. from port in route.Ports
                   where port.Port.Protocol == TransportProtocol.Tcp && !port.Usable.IsEmpty
                   from address in route.Service.ClusterIPs
                   select new IPEndPoint(address, port.Port.Port)];
    }

    private async Task CloseUnwantedAsync(NamespacedName service, ImmutableHashSet<IPEndPoint> wanted)
    {
        if (!_listeners.TryGetValue(service, out var open))
        {
            return;
        }

        foreach (var (address, listener) in open.Where(entry => !wanted.Contains(entry.Key)).ToList())
        {
            open.Remove(address);
            if (listener is null)
            {
                _reports.Solved(service, address);
                continue;
            }

            await listener.DisposeAsync();
            DataPlaneLog.ServicePortClosed(_context.Log, service, address);
        }

        if (open.Count == 0)
        {
            _listeners.Remove(service);
        }
    }

    private void Open(NamespacedName service, IPEndPoint address)
    {
        if (!_listeners.TryGetValue(service, out var open))
        {
            _listeners[service] = open = [];
        }

        var isRetry = open.TryGetValue(address, out var known);
        if (known is not null)
        {
            return;
        }

        try
        {
            open[address] = PortListener.Open(address, service, _context);
            DataPlaneLog.ServicePortOpened(_context.Log, service, address);
            if (isRetry)
            {
                _reports.Solved(service, address);
            }
        }
        catch (SocketException e)
        {
            open[address] = null;
            _failing.Add(service);
            if (!isRetry)
            {
                _reports.Failed(service, address, e);
            }
        }
    }
}
