using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.Listening;
using Mesh.Loops;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L4;

/// <summary>
/// The L4 proxy: one listener for each place where a Service with usable endpoints is answered over TCP (ClusterIP, NodePort,
/// address of its load balancer), and none where there is no endpoint, so that clients are refused at once. Its one loop opens
/// and closes listeners as Services, options and the machine's addresses change.
/// </summary>
public sealed class ServiceListeners : IHostedService, IAsyncDisposable
{
    private readonly L4Context _context;
    private readonly ConnectionSet _connections;
    private readonly PortReports _reports;
    private readonly ChangedServices _changed = new();
    private readonly FrontendListeners _listeners;
    private readonly Func<IEnumerable<IPAddress>> _machine;
    private readonly HashSet<NamespacedName> _withNodePorts = [];
    private readonly CancellationTokenSource _stop = new();
    private volatile NodePortAddresses _nodePorts = NodePortAddresses.All;
    private volatile EndpointRule _own = EndpointRule.Unconfigured;
    private NodePortAddresses? _asked;
    private ImmutableArray<IPAddress> _addresses = [];
    private long _looked;
    private Task _loop = Task.CompletedTask;

    /// <param name="machine">Its addresses as they are now, which may change.</param>
    public ServiceListeners(
        Published<RoutingSnapshot> routes,
        ServiceListenerOptions options,
        IFrontendPlaces places,
        Func<IEnumerable<IPAddress>> machine,
        IPortProblems problems,
        ISuspects suspects,
        Random seed,
        ProcessLoops loops,
        TimeProvider time,
        ILogger<ServiceListeners> log)
    {
        _reports = new PortReports("Services", problems, loops, time, log);
        _connections = new ConnectionSet(options.Descriptors, time);
        _context = new L4Context(routes, options, suspects, new EndpointPick(seed), _connections, loops, time, log);
        _listeners = new FrontendListeners(_context, places, _reports);
        _machine = machine;
    }

    /// <summary>Client connections that are open now.</summary>
    public int OpenConnections => _connections.Count;

    /// <summary>Called by the owner of the snapshot after it was published, with the Services whose route changed; returns at once.</summary>
    public void Update(IEnumerable<NamespacedName> changed) => _changed.Add(changed);

    /// <summary>Which of the machine's addresses serve NodePorts from now on, and where no Service is answered; returns at once.</summary>
    /// <param name="own">Knows where Mesh itself listens.</param>
    public void Serve(NodePortAddresses addresses, EndpointRule own)
    {
        (_nodePorts, _own) = (addresses, own);
        _changed.Add([]); // the loop sees that they are others than those it asked the machine for
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _looked = _context.Time.GetTimestamp();
        _reports.Start();
        _loop = _context.Loops.RunToEndAsync("listeners of Services", RunAsync, _stop.Token);
        return Task.CompletedTask;
    }

    /// <summary>Stops listening, lets open connections end by themselves, and resets those left when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop;
        await _listeners.CloseAsync(); // a listener that stays takes connections that nobody serves
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
        // Everything anew: what the last run had in hand, when an exception ended it, is not known. Its listeners stay meanwhile.
        _changed.Add([.. _context.Routes.Current.Services.Keys, .. _listeners.Services]);
        try
        {
            while (true)
            {
                await WaitForWorkAsync(stop);
                await ReconcileAsync(stop);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped, or the loop that owns the snapshot is: nobody is left to say whose a place is.
            await _listeners.CloseAsync();
        }
    }

    /// <summary>Waits for a change; while ports fail, or NodePorts follow the machine's addresses, until the next look at the longest.</summary>
    private async Task WaitForWorkAsync(CancellationToken stop)
    {
        if (_listeners.Failing.Count == 0 && _withNodePorts.Count == 0)
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
            // Time for a look.
        }
    }

    private async Task ReconcileAsync(CancellationToken stop)
    {
        var (told, snapshot) = _changed.Take(() => _context.Routes.Current);
        var changed = told.ToHashSet();
        foreach (var service in changed)
        {
            NoteNodePorts(snapshot, service);
        }

        // Not only when nothing changes for a while: where something always does, too, a port that is free again is taken.
        var isDue = _context.Time.GetElapsedTime(_looked) >= _context.Options.RetryEvery;
        if (isDue)
        {
            _looked = _context.Time.GetTimestamp();
            changed.UnionWith(_listeners.Failing);
        }

        if (_withNodePorts.Count > 0 && (isDue || _asked != _nodePorts) && AskMachine())
        {
            changed.UnionWith(_withNodePorts);
        }

        _listeners.Own = _own;
        await _listeners.ApplyAsync(changed.ToDictionary(static service => service, service => Wanted(snapshot, service)), stop);
    }

    private void NoteNodePorts(RoutingSnapshot snapshot, NamespacedName service)
    {
        if (snapshot.Services.TryGetValue(service, out var route) && route.Service.Ports.Any(static port => port.NodePort != 0))
        {
            _withNodePorts.Add(service);
        }
        else
        {
            _withNodePorts.Remove(service);
        }
    }

    private ImmutableArray<Frontend> Wanted(RoutingSnapshot snapshot, NamespacedName name) =>
        snapshot.Services.TryGetValue(name, out var route) ? Frontend.Of(route, _addresses) : [];

    /// <summary>True when this machine's addresses for NodePorts are others than before.</summary>
    private bool AskMachine()
    {
        try
        {
            var asked = _nodePorts;
            var addresses = asked.Of(_machine());
            var isSame = addresses.SequenceEqual(_addresses);
            (_asked, _addresses) = (asked, isSame ? _addresses : addresses);
            return !isSame;
        }
        catch (Exception unknown) when (unknown is NetworkInformationException or IOException)
        {
            // The kernel does not tell the machine's addresses now (no descriptor is free): those there are stay.
            DataPlaneLog.AddressesUnknown(_context.Log, "Services", unknown.Message);
            return false;
        }
    }
}
