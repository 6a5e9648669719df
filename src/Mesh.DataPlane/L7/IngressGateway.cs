using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Carrier;
using Mesh.DataPlane.L7.Tls;
using Mesh.DataPlane.Listening;
using Mesh.Loops;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7;

/// <summary>
/// The L7 gateway: listens for HTTP and HTTPS on the node's addresses and carries each request to an endpoint of the Service that
/// the Ingress rules name. One loop follows the Services' endpoints, and another prepares certificates.
/// </summary>
public sealed class IngressGateway : IHostedService, IAsyncDisposable
{
    private const int DefaultHttpsPort = 443;

    private readonly Published<RoutingSnapshot> _routes;
    private readonly IngressOptions _options;
    private readonly ProcessLoops _loops;
    private readonly YarpCarrier _carrier;
    private readonly IngressPipeline _pipeline;
    private readonly ChangedServices _changed = new();
    private readonly Queue<NamespacedName> _inHand = new(); // of the loop that follows endpoints
    private readonly CertificateStore _certificates;
    private readonly Channel<bool> _certificateChanged = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly AddressListeners _listeners;
    private readonly AddressListeners _tlsListeners;
    private readonly CancellationTokenSource _stop = new();
    private Task _following = Task.CompletedTask;
    private Task _preparing = Task.CompletedTask;
    private int _httpsPort;
    private bool _isDisposed;

    public IngressGateway(
        Published<RoutingSnapshot> routes, IngressOptions options, IPortProblems problems, ISuspects suspects, Random seed, ProcessLoops loops, TimeProvider time, ILoggerFactory logs)
        : this(routes, options, problems, suspects, seed, loops, time, logs, static () => ListenAddresses.OfThisMachine())
    {
    }

    internal IngressGateway(
        Published<RoutingSnapshot> routes, IngressOptions options, IPortProblems problems, ISuspects suspects, Random seed, ProcessLoops loops, TimeProvider time, ILoggerFactory logs,
        Func<IEnumerable<IPAddress>> machine)
    {
        _routes = routes;
        _options = options;
        _loops = loops;
        var log = logs.CreateLogger<IngressGateway>();
        var accessLog = logs.CreateLogger(DataPlaneLog.AccessCategory);
        _carrier = new YarpCarrier(routes, options, time);
        var forwarder = new RequestForwarder(routes, _carrier, options, suspects, new EndpointPick(seed), new SeldomLines(log, time));
        _certificates = new CertificateStore(log);
        _pipeline = new IngressPipeline(routes, options, forwarder, new RequestIds(seed), () => HttpsPort, time, log, accessLog);
        var application = new IngressApplication(_pipeline, options, time, log);
        var tls = new TlsStep(
            routes, _certificates, options, (refusal, client) => IngressListener.Refused(refusal, client, options with { IsTls = true }, accessLog), time, log);
        _listeners = Listeners("Ingress", options.HttpListen, null);
        _tlsListeners = Listeners("Ingress HTTPS", options.HttpsListen, tls);

        AddressListeners Listeners(string name, ImmutableArray<IPEndPoint> at, TlsStep? step) => new(
            name,
            at,
            async (address, stop) => await IngressListener.StartAsync(address, options, application, step, time, accessLog, stop),
            machine,
            options.RetryEvery,
            problems,
            loops,
            time,
            log);
    }

    /// <summary>Where HTTPS is found, for those who are sent there; by default where this gateway listens for it.</summary>
    public int HttpsPort
    {
        get => Volatile.Read(ref _httpsPort) is var port and > 0 ? port : _tlsListeners.Addresses is [var first, ..] ? first.Port : DefaultHttpsPort;
        set => Volatile.Write(ref _httpsPort, value);
    }

    /// <summary>The addresses listened on now, with the ports that were chosen.</summary>
    public ImmutableArray<IPEndPoint> Addresses => _listeners.Addresses;

    /// <summary>The same of HTTPS.</summary>
    public ImmutableArray<IPEndPoint> TlsAddresses => _tlsListeners.Addresses;

    /// <summary>Null while at least one address is listened on, of each of the two that there are to be.</summary>
    public string? WhyNotListening => (_options.HttpListen.IsEmpty ? null : _listeners.WhyNotListening) ?? (_options.HttpsListen.IsEmpty ? null : _tlsListeners.WhyNotListening);

    /// <summary>Requests under way.</summary>
    public int ActiveRequests => _pipeline.Active;

    /// <summary>Called by the owner of the snapshot after it was published, with the Services whose route changed, or none when a certificate did; returns at once.</summary>
    public void Update(IEnumerable<NamespacedName> changed)
    {
        _changed.Add(changed);
        _certificateChanged.Writer.TryWrite(true);
    }

    /// <summary>
    /// Completes when every address that can be listened on is; the others are reported and tried again. When it throws,
    /// nothing is listened on and all is disposed.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _listeners.StartAsync(cancellationToken);
            await _tlsListeners.StartAsync(cancellationToken);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }

        _following = _loops.RunAsync("Ingress endpoints", FollowEndpointsAsync, _stop.Token);
        if (!_options.HttpsListen.IsEmpty)
        {
            // On a thread of its own: thousands of certificates take a while, and handshakes make what they need in the meantime.
            _preparing = Task.Run(() => _loops.RunAsync("Ingress certificates", PrepareCertificatesAsync, _stop.Token), CancellationToken.None);
        }
    }

    /// <summary>Stops accepting; completes when the addresses are free. Requests under way go on.</summary>
    public Task CloseAsync() => Task.WhenAll(_listeners.CloseAsync(), _tlsListeners.CloseAsync());

    /// <summary>Stops accepting, lets requests under way end, and cuts those left when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _following;
        await _preparing;
        await Task.WhenAll(_listeners.StopAsync(cancellationToken), _tlsListeners.StopAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        await StopAsync(new CancellationToken(canceled: true));
        await _listeners.DisposeAsync();
        await _tlsListeners.DisposeAsync();
        _carrier.Dispose();
        _stop.Dispose();
    }

    private async Task PrepareCertificatesAsync(CancellationToken stop)
    {
        while (true)
        {
            _certificates.Prepare(_routes.Current.Tls, stop);
            await _certificateChanged.Reader.ReadAsync(stop);
        }
    }

    private async Task FollowEndpointsAsync(CancellationToken stop)
    {
        while (true)
        {
            // What the last run had in hand, when an exception ended it, but for the Service that it was about.
            while (_inHand.TryDequeue(out var service))
            {
                var usable = _routes.Current.Services.TryGetValue(service, out var route) ? route.Ports.SelectMany(port => port.Usable) : [];
                _carrier.Retain(service, [.. usable.Select(EndpointKey.Of)]);
            }

            await _changed.WaitAsync(stop);
            foreach (var service in _changed.Take(() => _routes.Current).Services)
            {
                _inHand.Enqueue(service);
            }
        }
    }
}
