using System.Collections;
using System.Collections.Immutable;
using Mesh.Agent;
using Mesh.Core;
using Mesh.Core.Descriptors;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Processes;
using Mesh.Hosting.Telemetry;
using Mesh.Loops;
using Mesh.Node.Linking;
using Mesh.Node.Listening;
using Mesh.Node.Routing;
using Mesh.NodeLink;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Microsoft.Extensions.Configuration;

namespace Mesh.Node;

/// <summary>The parts of a node, each owned here: what is started in which order, and stopped in which.</summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private const int MostProbes = 1024;

    private readonly ILoggerFactory _early;
    private readonly IHost _telemetry;
    private readonly RoutingLoop _routing;
    private readonly AgentService _agent;
    private readonly NodeListeners _listeners;
    private readonly LinkClient _link;
    private readonly SiloFigures _siloFigures;
    private readonly NodeJournal _journal;
    private readonly NodeSettings _settings;
    private readonly NodeEnding _ending;
    private readonly ILogger _log;
    private readonly ProcessLoops _processLoops;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopRouting = new();
    private readonly List<Task> _loops = [];
    private Task _routingLoop = Task.CompletedTask;

    private NodeHost(
        DataDirectory data, ILoggerFactory early, ProcessLoops loops, IHost telemetry, NodeJournal journal, NodeSettings settings, NodeEnding ending, TimeProvider time)
    {
        var identity = new AgentIdentity(journal.Incarnation, AgentIdentity.CurrentBootId());
        var logs = telemetry.Services.GetRequiredService<ILoggerFactory>();
        var random = new SystemRandom();
        var build = BuildIdentity.Of(AppContext.BaseDirectory, "mesh-node");
        var routes = new Published<RoutingSnapshot>(RoutingSnapshot.Empty);
        var problems = new OpenPortProblems();
        var descriptors = new DescriptorBudget(ProcessLimits.Files());
        var probes = descriptors.SetAside(own: 10, MostProbes);
        var outbox = new ReportOutbox(time);
        _telemetry = telemetry;
        _journal = journal;
        _settings = settings;
        _ending = ending;
        _log = logs.CreateLogger<NodeHost>();
        (_early, _processLoops) = (early, loops);
        _routing = new RoutingLoop(
            routes, OnRoutesChanged, claimed => _agent!.Avoid(claimed), problems, time, logs.CreateLogger<RoutingLoop>());
        _agent = new AgentService(identity, _routing, outbox, journal, random, _processLoops, time, logs.CreateLogger<AgentService>(), probes: probes);
        _siloFigures = new SiloFigures(data.LinkSocket);
        _listeners = new NodeListeners(data, routes, _routing, _agent, problems, descriptors, MachineFigures.Page(PrometheusPage.Of(telemetry.Services), _siloFigures), random, _processLoops, time, logs);
        _link = new LinkClient(
            data.LinkSocket, new NodeLinkHandler(_routing, _agent, _listeners, problems, journal, settings, identity, build, ending), outbox, time, logs.CreateLogger<LinkClient>());
        _log.Started(build, data.FullPath, identity.Incarnation);
    }

    /// <exception cref="StartRefusedException">The journal cannot be read or written.</exception>
    public static NodeHost Build(DataDirectory data, ILogOutput output, IDictionary environment, NodeEnding ending, TimeProvider time)
    {
        // Of what is there before the options are: the journal, and the loops, whose ends are told at any level.
#pragma warning disable CA2000 // the node's own, or disposed where the journal cannot be opened
        var early = LoggerFactory.Create(logging => logging.AddMesh(output, asJson: true, () => LogLevel.Information, time));
#pragma warning restore CA2000
        var loops = new ProcessLoops(time, early.CreateLogger<ProcessLoops>());
        var journal = Open(data, loops, time, early);
        var settings = new NodeSettings(journal.Options);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "mesh-node" });
        // A file is read by programs, so its lines are JSON however the silo was started.
        builder.Logging.AddMesh(output, asJson: true, () => settings.LogLevel, time);
        builder.Services.AddSingleton<IHostLifetime, OwnLifetime>();
        builder.Configuration.AddInMemoryCollection(MeshTelemetry.Variables(environment));
        builder.Services.AddDataPlaneTelemetry(settings.NodeName, environment);
        return new NodeHost(data, early, loops, builder.Build(), journal, settings, ending, time);
    }

    /// <summary>Serves what the journal holds, then links.</summary>
    public async Task StartAsync()
    {
        await _telemetry.StartAsync(_stop.Token);
        // What it had told the listeners cannot be made anew in this process; in the next the journal does it.
        _routingLoop = _processLoops.RunOrEndProcessAsync("routing", _routing.RunAsync, _ending.Fail, _stopRouting.Token);
        if (_settings.Options is { } options)
        {
            await RestoreAsync(options);
        }

        await _listeners.StartAsync(_stop.Token);
        await _agent.StartAsync(_stop.Token);
        _loops.Add(_processLoops.RunAsync("journal", _journal.RunAsync, _stop.Token));
        _loops.Add(_processLoops.RunAsync("listeners of options", _listeners.RunAsync, _stop.Token));
        _loops.Add(_processLoops.RunAsync("link", _link.RunAsync, _stop.Token));
    }

    private void OnRoutesChanged(ImmutableArray<NamespacedName> services)
    {
        _listeners.Update(services);
        _agent.OnRoutesChanged(services);
    }

    /// <summary>As the last run left it. The Pods first: endpoints of this machine count only while the Agent holds them alive.</summary>
    private async Task RestoreAsync(NodeOptions options)
    {
        _agent.Configure(options);
        await _routing.BeginResyncAsync(options, _stop.Token);
        await _agent.RestoreAsync(_journal.Registrations, _stop.Token);
        await _routing.ApplyAsync(_journal.Changes, synced: false, _stop.Token);
        foreach (var change in _journal.Changes)
        {
            await _agent.ApplyAsync(change);
        }

        await _listeners.ApplyAsync(options, _stop.Token);
    }

    private static NodeJournal Open(DataDirectory data, ProcessLoops loops, TimeProvider time, ILoggerFactory early)
    {
        try
        {
            return NodeJournal.Open(data.Journal, AgentIdentity.CurrentBootId(), loops, time, early.CreateLogger<NodeJournal>());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            early.Dispose();
            throw new StartRefusedException($"{data.Journal}: {failure.Message}", failure);
        }
    }

    public async Task DrainAsync(CancellationToken hurry)
    {
        _log.Ending(_ending.Why);
        await _agent.StopAsync(hurry);
        await _listeners.DrainAsync(hurry);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        await _stopRouting.CancelAsync();
        await _routingLoop;
        await _telemetry.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _journal.DisposeAsync();
        await _listeners.DisposeAsync();
        _siloFigures.Dispose();
        _agent.Dispose();
        _routing.Dispose();
        _stop.Dispose();
        _stopRouting.Dispose();
        _telemetry.Dispose();
        _early.Dispose();
    }
}
