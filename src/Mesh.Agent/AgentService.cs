using System.Collections.Immutable;
using System.Net;
using Mesh.Agent.Discovery;
using Mesh.Agent.Pods;
using Mesh.Agent.Probes;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Loops;
using Mesh.NodeLink;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent;

/// <summary>
/// Who is alive on this machine: registrations with their streams, and the readiness of every Pod of this node. Fed by the
/// node's link; tells this machine's snapshot and the report sink.
/// </summary>
public sealed class AgentService : BackgroundService
{
    private readonly AgentIdentity _identity;
    private readonly LivenessCounter _liveness;
    private readonly ProbeRunner _runner;
    private readonly ProbeLoop _probes;
    private readonly PodTable _table;
    private readonly Namespaces _namespaces = new();
    private readonly ProcessLoops _loops;
    private readonly OwnedTasks _tasks;
    private readonly ManifestPods _manifests;
    private readonly SiloWords _silo;
    private readonly RestoredPods _restored;
    private readonly IReportSink _reports;
    private readonly CancellationTokenSource _stopping = new();
    private IPAddress _host = IPAddress.Loopback;
    private string _nodeName = "";

    /// <param name="random">Makes the Pods' uids.</param>
    /// <param name="probes">How many are made at a time: each has a descriptor.</param>
    /// <param name="machine">The addresses of the machine's interfaces as they are now; null: ask the system.</param>
    public AgentService(
        AgentIdentity identity,
        ILocalRouting routing,
        IReportSink reports,
        IRegistrationJournal journal,
        Random random,
        ProcessLoops loops,
        TimeProvider time,
        ILogger<AgentService> logger,
        Func<IReadOnlyCollection<IPAddress>>? machine = null,
        int probes = ProbeLoop.MostPlaces)
    {
        _table = new PodTable(machine);
        _loops = loops;
        _tasks = new OwnedTasks(loops);
        _identity = identity;
        Routing = routing;
        Time = time;
        _reports = reports;
        Logger = logger;
        _liveness = new LivenessCounter(identity.Incarnation);
        _runner = new ProbeRunner(time);
        _probes = new ProbeLoop(_runner, time, logger, probes);
        var voice = new PodVoice(_table, _liveness, routing, reports, journal, _probes, logger);
        Pods = new RegisteredPods(identity, _table, voice, _probes, _namespaces, reports, journal, random, time, logger);
        _manifests = new ManifestPods(_liveness, reports, _probes, logger);
        _silo = new SiloWords(_table, voice, routing, _tasks, time, logger);
        _restored = new RestoredPods(identity, _table, voice, _probes, _runner, journal, time, logger);
    }

    internal RegisteredPods Pods { get; }

    internal PodTable Table => _table;

    /// <summary>Where nobody is probed.</summary>
    internal EndpointRule ProbeRule => _runner.Rule;

    internal ILocalRouting Routing { get; }

    internal ServiceWatches Watches { get; } = new();

    internal TimeProvider Time { get; }

    internal ILogger Logger { get; }

    /// <summary>Cancelled when the node stops: streams that end from then on end no Pod.</summary>
    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>Users whose processes may register.</summary>
    internal IReadOnlyCollection<uint> RegisterUids { get; private set; } = [];

    /// <summary>Address of this machine, for the check of Host.</summary>
    internal IPAddress Host => _host;

    /// <summary>Ends the names of Services, as they are told to applications.</summary>
    internal string ClusterDomain { get; private set; } = "";

    /// <summary>The options to run with, from the journal at start and from each Welcome.</summary>
    public void Configure(NodeOptions options)
    {
        _host = IPAddress.Parse(options.Advertise);
        _nodeName = options.NodeName;
        RegisterUids = options.RegisterUids;
        ClusterDomain = options.ClusterDomain;
        var machine = _table.Addresses.Look(); // takes long; nobody waits for it at the Gate
        lock (_table.Gate)
        {
            Pods.Configure(options, machine);
            _runner.Rule = _table.Addresses.Rule;
        }
    }

    /// <summary>Where the node listens for Services: no Pod is probed there, nor registers there anew.</summary>
    public void Avoid(ClaimedPlaces claimed)
    {
        // Set where it is made: the link configures meanwhile, and the older rule must not be set last.
        lock (_table.Gate)
        {
            _runner.Rule = _table.Addresses.Avoid(claimed);
        }
    }

    /// <summary>Takes up what the journal holds; call it after <see cref="Configure"/>, before the first link and before anything listens.</summary>
    public Task RestoreAsync(IReadOnlyCollection<Registration> registrations, CancellationToken stop) =>
        _restored.RestoreAsync(registrations, _nodeName, stop);

    /// <summary>Takes what concerns the Agent of what the silo tells (or the journal has kept); the rest it leaves alone.</summary>
    public async ValueTask ApplyAsync(RoutingChange change)
    {
        switch (change)
        {
            case RoutingChange.PodSpec pod when !_silo.TryApply(pod.Object, Stopping):
                ApplyUnregistered(pod.Object);
                break;
            case RoutingChange.PodRemoved removed:
                _manifests.Remove(removed.Pod, removed.Uid);
                await _silo.OnRemovedAsync(removed.Uid);
                break;
            case RoutingChange.NamespaceExists ns:
                _namespaces.Apply(ns.Name, ns.Exists);
                break;
            default:
                break;
        }
    }

    /// <summary>A new link: everything is told again, to <see cref="MarkSynced"/>.</summary>
    public void BeginResync()
    {
        _namespaces.BeginResync();
        _manifests.BeginResync();
    }

    public void MarkSynced()
    {
        _namespaces.MarkSynced();
        _manifests.MarkSynced();
    }

    /// <summary>The silo answered a report.</summary>
    public Task OnReportAckAsync(PodReport report, ReportAck ack, CancellationToken stop) =>
        report.Registered ? _silo.OnAckAsync(report, ack, stop) : Task.CompletedTask;

    /// <summary>The Pods of this node in one namespace, or in all (empty).</summary>
    public NodeInventory Inventory(string ns)
    {
        // The counter first: what is told while the list is made is newer than the inventory.
        var counter = _liveness.Last;
        return new NodeInventory(counter, [.. _table.States(ns), .. _manifests.States(ns)]);
    }

    /// <summary>The published snapshot routes these Services otherwise than the one before; returns at once.</summary>
    public void OnRoutesChanged(ImmutableArray<NamespacedName> services) => Watches.OnChanged(services);

    /// <summary>A connection there was refused: the Pod is tried at once.</summary>
    public void Suspect(IPEndPoint endpoint) => _probes.Suspect(endpoint);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _tasks.Begin("restored Pods", _restored.EndAwaitedAsync, Stopping);
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await base.StopAsync(cancellationToken);
        await _tasks.FinishAsync();
    }

    public override void Dispose()
    {
        _stopping.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loops.RunAsync("probes", _probes.RunAsync, stoppingToken);

    private void ApplyUnregistered(ObjectDocument document)
    {
        if (!IsRegistered(document))
        {
            _manifests.Apply(document, _host);
            return;
        }

        // The control plane takes it for alive, and nobody holds it: the node knows best.
        _reports.Put(new PodReport
        {
            Namespace = document.Name.Namespace,
            Name = document.Name.Name,
            Uid = document.Uid,
            Registered = true,
            Liveness = _liveness.Next(),
            Ended = true,
            Reason = "NotRegistered",
            Message = $"It is not registered on this machine (incarnation {_identity.Incarnation}).",
        });
    }

    private bool IsRegistered(ObjectDocument document)
    {
        try
        {
            return Core.Pods.PodParser.Parse(document.Document, document.CreatedVersion).IsRegistered;
        }
        catch (FormatException unreadable)
        {
            Logger.PodUnreadable(document.Name.ToString(), unreadable.Message);
            return false;
        }
    }
}
