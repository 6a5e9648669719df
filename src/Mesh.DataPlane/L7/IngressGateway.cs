using System.Collections.Immutable;
using System.Net;
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
    private readonly YarpCarrier _carrier;
    private readonly IngressPipeline _pipeline;
    private readonly ChangedServices _changed = new();
    private readonly AddressListeners _listeners;
    private readonly CancellationTokenSource _stop = new();
    private Task _following = Task.CompletedTask;

    public IngressGateway(
        Published<RoutingSnapshot> routes, IngressOptions options, IPortProblems problems, ISuspects suspects, Random seed, TimeProvider time, ILoggerFactory logs)
        : this(routes, options, problems, suspects, seed, time, logs, static () => ListenAddresses.OfThisMachine())
    {
    }

    internal IngressGateway(
        Published<RoutingSnapshot> routes, IngressOptions options, IPortProblems problems, ISuspects suspects, Random seed, TimeProvider time, ILoggerFactory logs,
        Func<IEnumerable<IPAddress>> machine)
    {
        _routes = routes;
        var log = logs.CreateLogger<IngressGateway>();
        var accessLog = logs.CreateLogger(DataPlaneLog.AccessCategory);
        _carrier = new YarpCarrier(routes, options, time);
        var forwarder = new RequestForwarder(_carrier, options, suspects, new EndpointPick(seed), log);
        _pipeline = new IngressPipeline(routes, options, forwarder, new RequestIds(seed), time, accessLog);
        var application = new IngressApplication(_pipeline, options, time, log);
        _listeners = new AddressListeners(
            "Ingress",
            options.HttpListen,
            async (address, stop) => await IngressListener.StartAsync(address, options, application, time, accessLog, stop),
            machine,
            options.RetryEvery,
            problems,
            time,
            log);
    }

    /// <summary>The addresses listened on now, with the ports that were chosen.</summary>
    public ImmutableArray<IPEndPoint> Addresses => _listeners.Addresses;

    /// <summary>Null while at least one address is listened on.</summary>
    public string? WhyNotListening => _listeners.WhyNotListening;

    /// <summary>Requests under way.</summary>
    public int ActiveRequests => _pipeline.Active;

    /// <summary>Called by the owner of the snapshot after it was published, with the Services whose route changed; returns at once.</summary>
    public void Update(IEnumerable<NamespacedName> changed) => _changed.Add(changed);

    /// <summary>Completes when every address that can be listened on is; the others are reported and tried again.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _listeners.StartAsync(cancellationToken);
        _following = FollowEndpointsAsync(_stop.Token);
    }

    /// <summary>Stops accepting, lets requests under way end, and cuts those left when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _following;
        await _listeners.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        await _listeners.DisposeAsync();
        _carrier.Dispose();
        _stop.Dispose();
    }

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
}
