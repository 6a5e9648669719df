using System.Collections.Immutable;
using System.Net;
using Mesh.Agent;
using Mesh.Agent.Http;
using Mesh.Core;
using Mesh.Core.Descriptors;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Listening;
using Mesh.Dns;
using Mesh.Hosting.Files;
using Mesh.Hosting.Sockets;
using Mesh.Loops;
using Mesh.NodeLink;
using IConnectionListenerFactory = Microsoft.AspNetCore.Connections.IConnectionListenerFactory;
using RequestDelegate = Microsoft.AspNetCore.Http.RequestDelegate;

namespace Mesh.Node.Listening;

/// <summary>
/// Everything this machine listens on: ClusterIPs, NodePorts and load balancers' addresses from the snapshot, and the
/// listeners of the options, which open and close live when those change.
/// </summary>
internal sealed class NodeListeners : IAsyncDisposable
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    /// <summary>Parts of a hundred of all descriptors for connections that each listener has for itself.</summary>
    private const int OfEach = 2;

    private const int MostOfDns = 256;

    private readonly Published<RoutingSnapshot> _routes;
    private readonly IPortProblems _problems;
    private readonly ISuspects _suspects;
    private readonly ProcessLoops _loops;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logs;
    private readonly ServiceListeners _services;
    private readonly LiveListener _ingress;
    private readonly LiveListener _ingressTls;
    private readonly LiveListener _dns;
    private readonly LiveListener _registration;
    private readonly LiveListener _socket;
    private readonly DescriptorBudget _descriptors;
    private readonly UsedUpShares _usedUp;
    private readonly int _mostOfDns;
    private readonly SemaphoreSlim _oneChange = new(1);
    private IngressGateway? _gateway;
    private IngressGateway? _tlsGateway;
    private AddressListeners? _names;
    private string _clusterDomain = "";
    private int _httpsPort;

    public NodeListeners(
        DataDirectory data,
        Published<RoutingSnapshot> routes,
        IFrontendPlaces places,
        AgentService agent,
        IPortProblems problems,
        DescriptorBudget descriptors,
        RequestDelegate? metrics,
        Random seed,
        ProcessLoops loops,
        TimeProvider time,
        ILoggerFactory logs)
    {
        _routes = routes;
        _problems = problems;
        _suspects = new Suspects(agent);
        _descriptors = descriptors;
        _usedUp = new UsedUpShares(descriptors, problems, time);
        _mostOfDns = descriptors.SetAside(own: 5, MostOfDns);
        _loops = loops;
        _time = time;
        _logs = logs;
        var log = logs.CreateLogger<NodeListeners>();
        _services = new ServiceListeners(
            routes,
            new ServiceListenerOptions { Descriptors = descriptors },
            places,
            static () => ListenAddresses.OfThisMachine(),
            problems,
            _suspects,
            seed,
            loops,
            time,
            logs.CreateLogger<ServiceListeners>());
        var gatewayId = GatewayIdentity.Of(data);
        var toEndpoints = descriptors.Open("Connections of the Ingress to endpoints", OfEach);
        var ingress = new IngressOptions { HttpListen = [], GatewayId = gatewayId, ToEndpoints = toEndpoints };
        var (http, https) = (Admitting("Connections to the Ingress"), Admitting("Connections to the Ingress over HTTPS"));
        var (tcp, unix) = (Admitting("Connections to the registration port"), Admitting("Connections to node.sock"));
        // A gateway each, so that one is moved without touching the other's connections.
        _ingress = new LiveListener("Ingress", (setting, stop) => OpenIngressAsync(
            ingress with { HttpListen = [IPEndPoint.Parse(setting)], Admit = http }, seed, made => Volatile.Write(ref _gateway, made), stop), loops, log);
        _ingressTls = new LiveListener("Ingress HTTPS", (setting, stop) => OpenIngressAsync(
            ingress with { HttpsListen = [IPEndPoint.Parse(setting)], Admit = https }, seed, made => Volatile.Write(ref _tlsGateway, made), stop), loops, log);
        _dns = new LiveListener("DNS", (setting, stop) => OpenDnsAsync(setting, seed, stop), loops, log);
        _registration = new LiveListener(
            "registration", async (setting, stop) => OpenListener.Of(await RegistrationServer.ListenAsync(IPEndPoint.Parse(setting), agent, WhyNotReady, logs, stop, metrics, tcp)), loops, log);
        _socket = new LiveListener("registration socket", async (_, stop) => OpenListener.Of(await RegistrationServer.ListenAsync(data.NodeSocket, agent, WhyNotReady, logs, stop, metrics, unix)), loops, log);
    }

    /// <summary>Why the node is not ready, null when it is.</summary>
    public string? WhyNotReady() =>
        _registration.WhyNotListening ?? _dns.WhyNotListening ?? _ingress.WhyNotListening ?? _ingressTls.WhyNotListening
        ?? Volatile.Read(ref _names)?.WhyNotListening ?? Volatile.Read(ref _gateway)?.WhyNotListening ?? Volatile.Read(ref _tlsGateway)?.WhyNotListening
        ?? _usedUp.Why
        ?? (_routes.Current.IsSynced ? null : "the silo has not told everything yet")
        ?? _loops.WhyNotReady();

    /// <summary>Serves what the snapshot holds already.</summary>
    public Task StartAsync(CancellationToken stop) => _services.StartAsync(stop);

    /// <summary>After each publication, with the Services whose route changed; returns at once.</summary>
    public void Update(ImmutableArray<NamespacedName> changed)
    {
        _services.Update(changed);
        Volatile.Read(ref _gateway)?.Update(changed);
        Volatile.Read(ref _tlsGateway)?.Update(changed);
    }

    public async Task ApplyAsync(NodeOptions options, CancellationToken stop)
    {
        await _oneChange.WaitAsync(stop);
        try
        {
            if (_clusterDomain != options.ClusterDomain)
            {
                await _dns.DrainAsync(CancellationToken.None);
                _clusterDomain = options.ClusterDomain;
            }

            _services.Serve(new NodePortAddresses([.. options.NodePortAddresses.Select(IPRange.Parse)]), options.ForEndpoints([]));

            // Traffic first: after a restart it waits for nobody.
            await LiveListener.EachAsync(
                () => _ingress.ApplyAsync(options.IngressHttp, stop),
                () => ApplyTlsAsync(options.IngressHttps, stop),
                () => _dns.ApplyAsync(options.DnsListen, stop),
                () => _registration.ApplyAsync(options.NodeListen, stop),
                () => _socket.ApplyAsync("node.sock", stop));
        }
        finally
        {
            _oneChange.Release();
        }
    }

    /// <summary>Tries taken ports again until stopped; the listeners close when they are drained.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var tick = new PeriodicTimer(RetryEvery, _time);
        while (await tick.WaitForNextTickAsync(stop))
        {
            await _oneChange.WaitAsync(stop);
            try
            {
                await LiveListener.EachAsync(
                    () => _ingress.RetryAsync(stop),
                    () => _ingressTls.RetryAsync(stop),
                    () => _dns.RetryAsync(stop),
                    () => _registration.RetryAsync(stop),
                    () => _socket.RetryAsync(stop),
                    () =>
                    {
                        _usedUp.Look();
                        return Task.CompletedTask;
                    });
            }
            finally
            {
                _oneChange.Release();
            }
        }
    }

    /// <summary>Accepts nothing more and lets what is under way end, until the token is cancelled.</summary>
    public async Task DrainAsync(CancellationToken hurry)
    {
        // Held from here on: nothing opens again.
        await _oneChange.WaitAsync(CancellationToken.None);
        await _registration.DisposeAsync();
        await _socket.DisposeAsync();
        await Task.WhenAll(_ingress.DrainAsync(hurry), _ingressTls.DrainAsync(hurry), _services.StopAsync(hurry));
        await _dns.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _registration.DisposeAsync();
        await _socket.DisposeAsync();
        await _ingress.DisposeAsync();
        await _ingressTls.DisposeAsync();
        await _dns.DisposeAsync();
        await _services.DisposeAsync();
        _oneChange.Dispose();
    }

    /// <summary>A journal of a build that served no HTTPS has no address for it.</summary>
    private async Task ApplyTlsAsync(string? setting, CancellationToken stop)
    {
        if (setting is not null)
        {
            _httpsPort = IPEndPoint.Parse(setting).Port;
            _gateway?.HttpsPort = _httpsPort;
            await _ingressTls.ApplyAsync(setting, stop);
        }
    }

    /// <param name="told">From here on it is told what changes: before it serves anybody, so that it misses nothing.</param>
    private async Task<OpenListener> OpenIngressAsync(IngressOptions options, Random seed, Action<IngressGateway?> told, CancellationToken stop)
    {
#pragma warning disable CA2000 // whoever opened it disposes it, or it is disposed below
        var gateway = new IngressGateway(_routes, options, _problems, _suspects, seed, _loops, _time, _logs) { HttpsPort = _httpsPort };
#pragma warning restore CA2000
        told(gateway);
        try
        {
            await gateway.StartAsync(stop);
            return OpenListener.Of(gateway);
        }
        catch
        {
            told(null);
            await gateway.DisposeAsync();
            throw;
        }
    }

    private async Task<OpenListener> OpenDnsAsync(string setting, Random seed, CancellationToken stop)
    {
        var responder = new DnsResponder(_routes, _clusterDomain, seed);
        var log = _logs.CreateLogger<DnsServer>();
#pragma warning disable CA2000 // whoever opened it disposes it, or it is disposed below
        var names = new AddressListeners(
            "DNS",
            [IPEndPoint.Parse(setting)],
            (address, _) => Task.FromResult<IAddressListener>(new DnsAddress(DnsServer.Start(new DnsServerOptions { Listen = [address], MaxTcpConnections = _mostOfDns }, responder, _loops, _time, log))),
            static () => ListenAddresses.OfThisMachine(),
            RetryEvery,
            _problems,
            _loops,
            _time,
            log);
#pragma warning restore CA2000
        try
        {
            await names.StartAsync(stop);
        }
        catch
        {
            await names.DisposeAsync();
            throw;
        }

        Volatile.Write(ref _names, names);
        return OpenListener.Of(names);
    }

    private Func<IConnectionListenerFactory, IConnectionListenerFactory> Admitting(string name)
    {
        var share = _descriptors.Open(name, OfEach);
        return transport => new SharedTransport(transport, share, _time);
    }

    private sealed class Suspects(AgentService agent) : ISuspects
    {
        public void Refused(Endpoint endpoint, IPEndPoint address) => agent.Suspect(address);

        public void Silent(Endpoint endpoint, IPEndPoint address) => agent.Suspect(address);
    }

    private sealed class DnsAddress(DnsServer server) : IAddressListener
    {
        public IPEndPoint Address => server.EndPoints[0];

        /// <summary>A query is answered as soon as it is read: nothing is under way.</summary>
        public Task CloseAsync() => DisposeAsync().AsTask();

        public Task StopAsync(CancellationToken deadline) => DisposeAsync().AsTask();

        public ValueTask DisposeAsync() => server.DisposeAsync();
    }
}
