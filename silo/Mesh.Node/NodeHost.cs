using System.Collections;
using Mesh.Agent;
using Mesh.Core;
using Mesh.Core.Routing;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Processes;
using Mesh.Hosting.Telemetry;
using Mesh.Node.Linking;
using Mesh.Node.Listening;
using Mesh.Node.Routing;
using Mesh.NodeLink.NodeEnd;

namespace Mesh.Node;

/// <summary>The parts of a node, each owned here: what is started in which order, and stopped in which.</summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private readonly IHost _telemetry;
    private readonly RoutingLoop _routing;
    private readonly AgentService _agent;
    private readonly NodeListeners _listeners;
    private readonly LinkClient _link;
    private readonly NodeEnding _ending;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopRouting = new();
    private readonly List<Task> _loops = [];
    private Task _routingLoop = Task.CompletedTask;

    private NodeHost(DataDirectory data, IHost telemetry, AgentIdentity identity, NodeEnding ending, TimeProvider time)
    {
        var logs = telemetry.Services.GetRequiredService<ILoggerFactory>();
        var seed = new Random();
        var build = BuildIdentity.Of(AppContext.BaseDirectory, "mesh-node");
        var routes = new Published<RoutingSnapshot>(RoutingSnapshot.Empty);
        var problems = new OpenPortProblems();
        var outbox = new ReportOutbox(time);
        _telemetry = telemetry;
        _ending = ending;
        _log = logs.CreateLogger<NodeHost>();
        _routing = new RoutingLoop(routes, changed => _listeners!.Update(changed), time, logs.CreateLogger<RoutingLoop>());
        _agent = new AgentService(identity, _routing, outbox, new NoJournal(), seed, time, logs.CreateLogger<AgentService>());
        _listeners = new NodeListeners(data, routes, _agent, problems, seed, time, logs);
        _link = new LinkClient(
            data.LinkSocket, new NodeLinkHandler(_routing, _agent, _listeners, problems, identity, build, ending), outbox, time, logs.CreateLogger<LinkClient>());
        _log.Started(build, data.FullPath, identity.Incarnation);
    }

    public static Task<NodeHost> BuildAsync(DataDirectory data, ILogOutput output, IDictionary environment, NodeEnding ending, TimeProvider time)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "mesh-node" });
        builder.Logging.AddMesh(output, asJson: true, () => LogLevel.Information, time);
        builder.Services.AddSingleton<IHostLifetime, OwnLifetime>();
        builder.Services.AddMeshTelemetry(MeshTelemetry.DataPlane, Environment.MachineName, environment);
        return Task.FromResult(new NodeHost(data, builder.Build(), new AgentIdentity(1, AgentIdentity.CurrentBootId()), ending, time));
    }

    /// <summary>Serves what the journal holds, then links.</summary>
    public async Task StartAsync()
    {
        await _telemetry.StartAsync(_stop.Token);
        _routingLoop = _routing.RunAsync(_stopRouting.Token);
        await _listeners.StartAsync(_stop.Token);
        await _agent.StartAsync(_stop.Token);
        _loops.Add(_listeners.RunAsync(_stop.Token));
        _loops.Add(_link.RunAsync(_stop.Token));
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
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopRouting.CancelAsync();
        await _routingLoop;
        await _telemetry.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _listeners.DisposeAsync();
        _agent.Dispose();
        _routing.Dispose();
        _stop.Dispose();
        _stopRouting.Dispose();
        _telemetry.Dispose();
    }
}
