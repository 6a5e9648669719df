using System.Collections.Immutable;
using Mesh.Agent;
using Mesh.Core.Routing;
using Mesh.Node.Listening;
using Mesh.Node.Routing;
using Mesh.NodeLink;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;

namespace Mesh.Node.Linking;

/// <summary>What this machine does with what its silo says: options to the listeners, changes to snapshot and Agent, all to the journal.</summary>
internal sealed class NodeLinkHandler(
    RoutingLoop routing,
    AgentService agent,
    NodeListeners listeners,
    OpenPortProblems problems,
    NodeJournal journal,
    NodeSettings settings,
    AgentIdentity identity,
    string build,
    NodeEnding ending) : INodeLinkHandler
{
    private ulong _optionsHash;
    private bool _isProvisional = journal.IsProvisional;

    public Hello Hello() => Machine.Describe(routing.NodeName, build, identity, _isProvisional, _optionsHash);

    public async ValueTask OnWelcomeAsync(NodeOptions options, ulong optionsHash, uint knownIncarnation, CancellationToken stop)
    {
        if (IncarnationRule.IsOutnumbered(Hello(), knownIncarnation))
        {
            // What this start has reported until now is ordered below what an earlier one said; the next is above it.
            await journal.CountFromAsync(knownIncarnation);
            journal.Keep(options);
            ending.Request($"an earlier start of this node was number {knownIncarnation}, this one is {identity.Incarnation}");
            return;
        }

        _isProvisional = false;
        journal.Keep(options);
        if (routing.NodeName.Length > 0 && routing.NodeName != options.NodeName)
        {
            // Whose endpoints are local is decided by name throughout: a renamed node starts anew, from its journal.
            ending.Request($"this node is called {options.NodeName} now");
            return;
        }

        settings.Options = options;
        journal.BeginResync();
        _optionsHash = optionsHash;
        agent.Configure(options);
        agent.BeginResync();
        problems.Forget();
        await routing.BeginResyncAsync(options, stop);
        await listeners.ApplyAsync(options, stop);
    }

    public async ValueTask ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
    {
        await routing.ApplyAsync(changes, synced, stop);
        foreach (var change in changes)
        {
            await agent.ApplyAsync(change);
        }

        journal.Keep(changes, synced);
        if (synced)
        {
            agent.MarkSynced();
        }
    }

    public async ValueTask OnReportAckAsync(PodReport report, ReportAck ack, CancellationToken stop) =>
        await agent.OnReportAckAsync(report, ack, stop);

    public NodeInventory Inventory(string ns) => agent.Inventory(ns);

    public IReadOnlyList<PortProblem> TakePortProblems() => problems.TakeUntold();

    public Task DrainAsync(TimeSpan within, CancellationToken stop)
    {
        ending.Request("the silo asked for a drain");
        return ending.Drained.WaitAsync(within, stop);
    }

    public void OnLinkLost()
    {
        // Nothing that is routed changes.
    }
}
