using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Carrier;
using Mesh.DataPlane.Listening;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7;

/// <summary>
/// The L7 gateway: listens for HTTP on the node's addresses and carries each request to an endpoint of the Service that
/// the Ingress rules name. Its one loop follows the machine's addresses and the Services' endpoints.
/// </summary>
public sealed class IngressGateway : IHostedService, IAsyncDisposable
{
    private readonly Published<RoutingSnapshot> _routes;
    private readonly IngressOptions _options;
    private readonly IPortProblems _problems;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ILogger _accessLog;
    private readonly Func<IEnumerable<IPAddress>> _machine;
    private readonly YarpCarrier _carrier;
    private readonly IngressPipeline _pipeline;
    private readonly IngressApplication _application;
    private readonly ChangedServices _changed = new();
    private readonly Dictionary<IPEndPoint, IngressListener?> _listeners = [];
    private readonly CancellationTokenSource _stop = new();
    private ImmutableArray<IPEndPoint> _addresses = [];
    private Task _following = Task.CompletedTask;
    private Task _listening = Task.CompletedTask;
    private bool _isStopped;

    public IngressGateway(
        Published<RoutingSnapshot> routes, IngressOptions options, IPortProblems problems, ISuspects suspects, Random seed, TimeProvider time, ILoggerFactory logs)
        : this(routes, options, problems, suspects, seed, time, logs, ListenAddressesOfThisMachine)
    {
    }

    internal IngressGateway(
        Published<RoutingSnapshot> routes, IngressOptions options, IPortProblems problems, ISuspects suspects, Random seed, TimeProvider time, ILoggerFactory logs,
        Func<IEnumerable<IPAddress>> machine)
    {
        _routes = routes;
        _options = options;
        _problems = problems;
        _time = time;
        _machine = machine;
        _log = logs.CreateLogger<IngressGateway>();
        _accessLog = logs.CreateLogger(DataPlaneLog.AccessCategory);
        _carrier = new YarpCarrier(options, time);
        var forwarder = new RequestForwarder(_carrier, options, suspects, new EndpointPick(seed), _log);
        _pipeline = new IngressPipeline(routes, options, forwarder, new RequestIds(seed), time, _accessLog);
        _application = new IngressApplication(_pipeline, time, _log);
    }

    /// <summary>The addresses listened on now, with the ports that were chosen.</summary>
    public ImmutableArray<IPEndPoint> Addresses
    {
        get
        {
            lock (_stop)
            {
                return _addresses;
            }
        }
    }

    /// <summary>Requests under way.</summary>
    public int ActiveRequests => _pipeline.Active;

    /// <summary>Called by the owner of the snapshot after it was published, with the Services whose route changed; returns at once.</summary>
    public void Update(IEnumerable<NamespacedName> changed) => _changed.Add(changed);

    /// <summary>Completes when every address that can be listened on is; the others are reported and tried again.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await ListenAsync(cancellationToken);
        _listening = FollowAddressesAsync(_stop.Token);
        _following = FollowEndpointsAsync(_stop.Token);
    }

    /// <summary>Stops accepting, lets requests under way end, and cuts those left when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;
        await _stop.CancelAsync();
        await _listening;
        await _following;
        await Task.WhenAll(_listeners.Values.OfType<IngressListener>().Select(listener => listener.StopAsync(cancellationToken)));
        foreach (var listener in _listeners.Values.OfType<IngressListener>())
        {
            await listener.DisposeAsync();
        }

        _listeners.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _carrier.Dispose();
        _stop.Dispose();
    }

    private static IEnumerable<IPAddress> ListenAddressesOfThisMachine() => ListenAddresses.OfThisMachine();

    private async Task FollowEndpointsAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await _changed.WaitAsync(stop);
                var services = _routes.Current.Services;
                foreach (var service in _changed.Take())
                {
                    var usable = services.TryGetValue(service, out var route) ? route.Ports.SelectMany(port => port.Usable) : [];
                    _carrier.Retain(service, [.. usable.Select(EndpointKey.Of)]);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task FollowAddressesAsync(CancellationToken stop)
    {
        using var tick = new PeriodicTimer(_options.RetryEvery, _time);
        try
        {
            while (await tick.WaitForNextTickAsync(stop))
            {
                await ListenAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        var machine = _machine().ToImmutableArray();
        var wanted = _options.HttpListen.SelectMany(option => ListenAddresses.Expand(option, machine)).ToHashSet();
        foreach (var (address, listener) in _listeners.Where(entry => !wanted.Contains(entry.Key)).ToList())
        {
            _listeners.Remove(address);
            if (listener is not null)
            {
                await listener.DisposeAsync(); // the machine has lost the address, and its connections with it
                DataPlaneLog.GatewayClosed(_log, address);
            }
        }

        foreach (var address in wanted.Where(address => _listeners.GetValueOrDefault(address) is null))
        {
            await ListenAsync(address, stop);
        }

        lock (_stop)
        {
            _addresses = [.. _listeners.Values.OfType<IngressListener>().Select(listener => listener.Address)];
        }
    }

    private async Task ListenAsync(IPEndPoint address, CancellationToken stop)
    {
        var isRetry = _listeners.ContainsKey(address);
        try
        {
            var listener = await IngressListener.StartAsync(PortOf(address), _options, _application, _time, _accessLog, stop);
            _listeners[address] = listener;
            DataPlaneLog.GatewayListens(_log, listener.Address);
            if (isRetry)
            {
                _problems.Solved(null, address);
            }
        }
        catch (SocketException e)
        {
            _listeners[address] = null;
            if (!isRetry)
            {
                var problem = PortProblems.From(e, address);
                DataPlaneLog.PortProblem(_log, "Ingress gateway", problem.Reason, problem.Message);
                _problems.Report(null, problem);
            }
        }
    }

    /// <summary>With port 0, the port that the first address of the option was given: they are one listener to its user.</summary>
    private IPEndPoint PortOf(IPEndPoint address) => address.Port == 0
        && _listeners.FirstOrDefault(entry => entry.Key.Port == 0 && entry.Value is not null).Value is { } first
            ? new IPEndPoint(address.Address, first.Address.Port)
            : address;
}
